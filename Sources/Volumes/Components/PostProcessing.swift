import Foundation
import Work

/// The last step from a segmentation to a mask: which pieces of a label stay, and whether its holes close.
package struct PostProcessing: Hashable, Sendable, Codable {
  /// Only the component with the most voxels stays (corners touch).
  package var keepsLargestComponent: Bool
  /// Components with less than this share of the label's voxels go; 0 keeps all.
  package var minimumComponentFraction: Double
  /// Components smaller than this go; 0 keeps all.
  package var minimumComponentMillilitres: Double
  /// Background that the label encloses (closed against faces) takes the label.
  package var fillsHoles: Bool

  /// Nothing is changed.
  package static let none = PostProcessing()

  /// Settings; by default nothing is changed.
  package init(
    keepsLargestComponent: Bool = false, minimumComponentFraction: Double = 0,
    minimumComponentMillilitres: Double = 0, fillsHoles: Bool = false
  ) {
    self.keepsLargestComponent = keepsLargestComponent
    self.minimumComponentFraction = minimumComponentFraction
    self.minimumComponentMillilitres = minimumComponentMillilitres
    self.fillsHoles = fillsHoles
  }

  /// Settings from a file; what it does not state is as in ``none``.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      keepsLargestComponent: try values.decodeIfPresent(Bool.self, forKey: .keepsLargestComponent) ?? false,
      minimumComponentFraction: try values.decodeIfPresent(Double.self, forKey: .minimumComponentFraction)
        ?? 0,
      minimumComponentMillilitres:
        try values.decodeIfPresent(Double.self, forKey: .minimumComponentMillilitres) ?? 0,
      fillsHoles: try values.decodeIfPresent(Bool.self, forKey: .fillsHoles) ?? false)
  }

  /// Refuses numbers that select nothing.
  /// - Throws: ``InputError`` about `subject`.
  package func validated(subject: String) throws(InputError) {
    guard (0...1).contains(minimumComponentFraction) else {
      throw InputError(
        subject, "smallest share of a component is unusable", found: "\(minimumComponentFraction)",
        expected: "0 to 1")
    }
    guard UsableRange.millilitres.contains(minimumComponentMillilitres) else {
      throw InputError(
        subject, "smallest volume of a component is unusable", found: "\(minimumComponentMillilitres) mL",
        expected: "0 to \(UsableRange.millilitres.upperBound) mL")
    }
  }
}

/// A mask after post-processing, and what that left out of it.
package struct PostProcessedMask: Equatable, Sendable {
  /// The mask.
  package var labels: LabelVolume
  /// The largest component that each label lost, where it may have been the right one; labels ascending.
  package var removed: [RemovedComponent]
}

/// A component that post-processing took away although it is not small beside what stayed.
package struct RemovedComponent: Hashable, Sendable {
  /// The label of both.
  package let label: UInt16
  /// Volumes of the component and of the label's largest one that stayed.
  package let millilitres, keptMillilitres: Double

  /// A component and what stayed of its label.
  package init(label: UInt16, millilitres: Double, keptMillilitres: Double) {
    self.label = label
    self.millilitres = millilitres
    self.keptMillilitres = keptMillilitres
  }

  /// Share of the largest component that stayed from which one that went is worth a look.
  static let noteworthyFraction = 0.25

  /// Whole millilitres from 10 on, below that two digits that count.
  private static func text(_ millilitres: Double) -> String {
    millilitres >= 10 ? "\(Int(saturating: millilitres.rounded()))" : String(format: "%.2g", millilitres)
  }

  /// One line for whoever reads the mask, with the label's name from `table`.
  package func note(_ table: LabelTable) -> String {
    "\(table[label]?.name ?? "label \(label)"): a part of \(Self.text(millilitres)) mL was left out beside the one of "
      + "\(Self.text(keptMillilitres)) mL; see whether the right one stayed"
  }
}

extension LabelVolume {
  /// This mask after post-processing: components of every label first, then holes label by label, ascending.
  ///
  /// It takes the mask over: a copy of a large one would keep a request to stop waiting.
  /// - Parameters:
  ///   - settings: what applies to the labels it names.
  ///   - others: what applies to all other labels of the mask.
  /// - Throws: `Cancelled`.
  package consuming func postProcessed(
    _ settings: [UInt16: PostProcessing], others: PostProcessing = .none, work: WorkContext
  ) throws(Cancelled) -> PostProcessedMask {
    var processed = consume self
    let present = try ConnectedComponents(processed, neighbourhood: .corners, work: work.part(0...0.5))
    let labels = Set(present.components.map(\.label)).sorted()
    let dropped = present.dropped { settings[$0] ?? others }
    if dropped.contains(true) {
      processed.voxels.withUnsafeMutableBufferPointer { voxels in
        present.forEachRun { component, offsets in
          if dropped[component] { for offset in offsets { voxels[offset] = 0 } }
        }
      }
    }
    for (position, label) in labels.enumerated() where (settings[label] ?? others).fillsHoles {
      processed = try processed.filledHoles(of: label, work: work.silent)
      work.report(0.5 + 0.5 * Double(position + 1) / Double(labels.count))
    }
    work.report(1)
    return PostProcessedMask(
      labels: processed, removed: labels.compactMap { present.removed(of: $0, dropped: dropped) })
  }

  /// This mask with the same post-processing for every label.
  /// - Throws: `Cancelled`.
  package consuming func postProcessed(
    _ settings: PostProcessing, work: WorkContext
  ) throws(Cancelled) -> PostProcessedMask {
    try postProcessed([:], others: settings, work: work)
  }
}

extension ConnectedComponents {
  /// For each component, whether the settings of its label take it away.
  fileprivate func dropped(_ settings: (UInt16) -> PostProcessing) -> [Bool] {
    var voxelsOfLabel: [UInt16: Int] = [:]
    var largestOfLabel: [UInt16: Int] = [:]
    for (index, component) in components.enumerated() {
      voxelsOfLabel[component.label, default: 0] += component.voxelCount
      if let best = largestOfLabel[component.label], components[best].voxelCount >= component.voxelCount {
        continue
      }
      largestOfLabel[component.label] = index
    }
    return components.enumerated().map { index, component in
      let rule = settings(component.label)
      let fraction = Double(component.voxelCount) / Double(voxelsOfLabel[component.label]!)
      let millilitres = Double(component.voxelCount) * grid.voxelVolume / 1000
      return rule.keepsLargestComponent && largestOfLabel[component.label] != index
        || fraction < rule.minimumComponentFraction || millilitres < rule.minimumComponentMillilitres
    }
  }
  /// The largest dropped component of a label, if it is noteworthy.
  fileprivate func removed(of label: UInt16, dropped: [Bool]) -> RemovedComponent? {
    func most(_ isDropped: Bool) -> Int {
      components.indices.lazy.filter { components[$0].label == label && dropped[$0] == isDropped }
        .map { components[$0].voxelCount }.max() ?? 0
    }
    let (gone, kept) = (most(true), most(false))
    guard gone > 0, Double(gone) >= RemovedComponent.noteworthyFraction * Double(kept) else { return nil }
    let millilitres = grid.voxelVolume / 1000
    return RemovedComponent(
      label: label, millilitres: Double(gone) * millilitres, keptMillilitres: Double(kept) * millilitres)
  }
}
