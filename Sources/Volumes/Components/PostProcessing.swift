import Foundation
import Work

/// The post-processing of a mask: removal of connected components and filling of holes.
package struct PostProcessing: Hashable, Sendable, Codable {
  /// Whether all components but the largest of each label are removed (26-connectivity).
  package var keepsLargestComponent: Bool
  /// Components with less than this fraction of the label's voxels are removed; 0 keeps all.
  package var minimumComponentFraction: Double
  /// Components smaller than this are removed; 0 keeps all.
  package var minimumComponentMillilitres: Double
  /// Whether background that a label encloses (6-connectivity) gets the label.
  package var fillsHoles: Bool

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

  /// Settings from a file; absent fields are as in ``none``.
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

  /// Checks that all numbers are in range.
  /// - Throws: ``InputError`` about `subject`.
  package func validated(subject: String) throws(InputError) {
    guard (0...1).contains(minimumComponentFraction) else {
      throw InputError(
        subject, "smallest fraction of a component is unusable", found: "\(minimumComponentFraction)",
        expected: "0 to 1")
    }
    guard UsableRange.millilitres.contains(minimumComponentMillilitres) else {
      throw InputError(
        subject, "smallest volume of a component is unusable", found: "\(minimumComponentMillilitres) mL",
        expected: "0 to \(UsableRange.millilitres.upperBound) mL")
    }
  }
}

/// A mask after post-processing, and the large components that were removed.
package struct PostProcessedMask: Equatable, Sendable {
  package var labels: LabelVolume
  /// The largest removed component of each label, where it is large enough that it may be the right one; labels
  /// ascending.
  package var removed: [RemovedComponent]
}

/// A removed component that is not small compared with the label's largest remaining one.
package struct RemovedComponent: Hashable, Sendable {
  package let label: UInt16
  /// Volumes of the removed component and of the label's largest remaining one.
  package let millilitres, keptMillilitres: Double

  /// A removed component of `label`.
  package init(label: UInt16, millilitres: Double, keptMillilitres: Double) {
    self.label = label
    self.millilitres = millilitres
    self.keptMillilitres = keptMillilitres
  }

  /// A removed component is reported from this fraction of the largest remaining one on.
  static let noteworthyFraction = 0.25

  /// Whole millilitres from 10 on, below that two significant digits.
  private static func text(_ millilitres: Double) -> String {
    millilitres >= 10 ? "\(Int(saturating: millilitres.rounded()))" : significant(millilitres, 2)
  }

  /// One line that reports the component, with the label's name from `table`.
  package func note(_ table: LabelTable) -> String {
    "\(table[label]?.name ?? "label \(label)"): a part of \(Self.text(millilitres)) mL was removed beside the one of "
      + "\(Self.text(keptMillilitres)) mL; check that the right one was kept"
  }
}

extension LabelVolume {
  /// The mask after post-processing: first components of every label are removed, then holes are filled, label by label
  /// in ascending order.
  ///
  /// The mask is consumed, because copying a large one would delay a cancellation.
  /// - Parameters:
  ///   - settings: Settings by label.
  ///   - others: Settings of all other labels.
  /// - Throws: `Cancelled`.
  package consuming func postProcessed(
    _ settings: [UInt16: PostProcessing], others: PostProcessing = .none, work: WorkContext
  ) throws(Cancelled) -> PostProcessedMask {
    var processed = consume self
    let present = try ConnectedComponents(processed, neighbourhood: .corners, work: work.part(0...0.5))
    let labels = Set(present.components.map(\.label)).sorted()
    let isRemoved = present.areRemoved { settings[$0] ?? others }
    if isRemoved.contains(true) {
      processed.voxels.withUnsafeMutableBufferPointer { voxels in
        present.forEachRun { component, offsets in
          if isRemoved[component] { for offset in offsets { voxels[offset] = 0 } }
        }
      }
    }
    for (position, label) in labels.enumerated() where (settings[label] ?? others).fillsHoles {
      processed = try processed.filledHoles(of: label, work: work.withoutProgress)
      work.report(0.5 + 0.5 * Double(position + 1) / Double(labels.count))
    }
    work.report(1)
    return PostProcessedMask(
      labels: processed, removed: labels.compactMap { present.removedComponent(of: $0, isRemoved: isRemoved) }
    )
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
  /// For each component, whether the settings of its label remove it.
  fileprivate func areRemoved(_ settings: (UInt16) -> PostProcessing) -> [Bool] {
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
      let own = settings(component.label)
      let fraction = Double(component.voxelCount) / Double(voxelsOfLabel[component.label]!)
      let millilitres = Double(component.voxelCount) * grid.voxelVolume / 1000
      return own.keepsLargestComponent && largestOfLabel[component.label] != index
        || fraction < own.minimumComponentFraction || millilitres < own.minimumComponentMillilitres
    }
  }

  /// The largest removed component of a label, where it is large enough to be reported.
  fileprivate func removedComponent(of label: UInt16, isRemoved: [Bool]) -> RemovedComponent? {
    func largest(removed: Bool) -> Int {
      components.indices.lazy.filter { components[$0].label == label && isRemoved[$0] == removed }
        .map { components[$0].voxelCount }.max() ?? 0
    }
    let (removed, kept) = (largest(removed: true), largest(removed: false))
    guard removed > 0, Double(removed) >= RemovedComponent.noteworthyFraction * Double(kept) else {
      return nil
    }
    let millilitres = grid.voxelVolume / 1000
    return RemovedComponent(
      label: label, millilitres: Double(removed) * millilitres, keptMillilitres: Double(kept) * millilitres)
  }
}
