import Foundation
import Volumes
import Work

/// Measures of the masks of a case that need no reader.
package struct CaseMeasures: Equatable, Sendable, Codable {
  /// A label of the other mask that overlaps a label although their names, or values, say that they are different.
  package struct Contradiction: Equatable, Sendable, Codable {
    /// The name of the other mask's label.
    package var name: String
    /// The Dice coefficient of both labels.
    package var dice: Double

    /// A contradiction with the given name and Dice.
    package init(name: String, dice: Double) { (self.name, self.dice) = (name, dice) }
  }

  /// The measures of one label of the first mask.
  package struct LabelMeasures: Equatable, Sendable, Codable {
    /// The value in the file.
    package var value: Int
    /// The name; "label 6" where it has none.
    package var name: String
    /// The volume in mL; 0 where only the other mask has the label.
    package var millilitres: Double
    /// Connected components (corners touch).
    package var componentCount: Int
    /// The volume of the second largest component in mL; 0 where there is one at most.
    package var secondComponentMillilitres: Double
    /// Holes: sets of voxels that the label encloses in space, background among them.
    package var holeCount: Int
    /// Slices without the label between its parts, across the axis with the largest spacing; components below
    /// ``leastPartFraction`` do not count as parts.
    package var missingSliceCount: Int
    /// The same for the slices of each plane; a plane without any has no entry.
    package var missingSlices: [AnatomicalPlane: Int]
    /// The sides of the image that it touches, in the order R, L, A, P, S, I; an axis of one voxel has none.
    package var touchedSides: [AnatomicalDirection]
    /// The Dice coefficient with the other mask's label of the same name, or of the same value where one mask has no
    /// names; nil without another mask.
    package var dice: Double?
    /// The label of the other mask that matches this label by its overlap, where it is not the label that it is
    /// compared with.
    package var contradiction: Contradiction?

    /// The part of a label's volume from which a component counts.
    ///
    /// Without a component of this size, the Dice coefficient changes by half as much; a voxel far away makes no gap.
    static let leastPartFraction = 0.02

    package init(
      value: Int, name: String, millilitres: Double, componentCount: Int = 1,
      secondComponentMillilitres: Double = 0, holeCount: Int = 0, missingSliceCount: Int = 0,
      missingSlices: [AnatomicalPlane: Int] = [:], touchedSides: [AnatomicalDirection] = [],
      dice: Double? = nil,
      contradiction: Contradiction? = nil
    ) {
      self.value = value
      self.name = name
      self.millilitres = millilitres
      self.componentCount = componentCount
      self.secondComponentMillilitres = secondComponentMillilitres
      self.holeCount = holeCount
      self.missingSliceCount = missingSliceCount
      self.missingSlices = missingSlices
      self.touchedSides = touchedSides
      self.dice = dice
      self.contradiction = contradiction
    }

    /// Whether a name, or a value written as a number, means this label.
    package func isCalled(_ text: String) -> Bool { name.nameKey == text.nameKey || Int(text) == value }
  }

  /// The labels of both masks, ascending by value.
  package var labels: [LabelMeasures]
  /// Masks that do not fit the image or the first mask, with the difference, a line each.
  package var misfits: [String] = []

  package init(labels: [LabelMeasures], misfits: [String] = []) {
    (self.labels, self.misfits) = (labels, misfits)
  }

  /// The lowest Dice coefficient of a label with the other mask; nil without one, or without labels.
  package var lowestDice: Double? { labels.compactMap(\.dice).min() }

  /// Measures a mask, and compares it with another on the same grid.
  ///
  /// - Parameters:
  ///   - mask: The first mask, in the same coding as the other.
  ///   - names: The names of its labels; nil where it has none.
  ///   - other: The mask that it is compared with.
  ///   - otherNames: The names of that mask's labels.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels), and for each label O(voxels of its bounding box).
  package init(
    of mask: LabelVolume, names: LabelTable? = nil, comparedWith other: LabelVolume? = nil,
    otherNames: LabelTable? = nil, work: WorkContext
  ) throws(Cancelled) {
    let parts = MeasuredParts(try ConnectedComponents(mask, work: work.part(0...0.4)).components)
    let codes = parts.voxelCounts.keys.sorted()
    let comparison = try other.map { (other) throws(Cancelled) in
      try MaskComparison(
        mask, names, codes, with: other, otherNames, work: work.withoutProgress)
    }
    work.report(0.6)
    labels = comparison?.absent ?? []
    for (index, code) in codes.enumerated() {
      func millilitres(_ count: Int?) -> Double { Double(count ?? 0) * mask.grid.voxelVolume / 1000 }
      var label = LabelMeasures(
        value: mask.coding.value(of: code),
        name: comparison?.name(code) ?? names?[code]?.name ?? mask.coding.name(of: code),
        millilitres: millilitres(parts.voxelCounts[code]), componentCount: parts.counts[code] ?? 0,
        secondComponentMillilitres: millilitres(parts.largest[code]?.second), dice: comparison?.dice(code),
        contradiction: comparison?.contradictions[code])
      if let box = parts.bounds[code] {
        label.holeCount = try mask.holeCount(of: code, within: box, work: work.withoutProgress)
        let gaps = SliceGaps(between: parts.largeParts(code))
        label.missingSlices = gaps.counts(mask.grid.orientation)
        label.missingSliceCount = gaps.count(along: mask.grid.acquisitionAxis)
        label.touchedSides = mask.grid.orientation.sides(touchedBy: box, of: mask.grid.size)
      }
      labels.append(label)
      work.report(0.6 + 0.4 * Double(index + 1) / Double(codes.count))
    }
    labels.sort { ($0.value, $0.name) < ($1.value, $1.name) }
    work.report(1)
  }
}

/// The components of each label, by code.
private struct MeasuredParts {
  private(set) var counts: [UInt16: Int] = [:]
  private(set) var voxelCounts: [UInt16: Int] = [:]
  private(set) var bounds: [UInt16: VoxelBounds] = [:]
  /// The voxels of the largest and of the second largest component; 0 for none.
  private(set) var largest: [UInt16: (first: Int, second: Int)] = [:]
  private var components: [UInt16: [Component]] = [:]

  init(_ components: [Component]) {
    for component in components {
      let (code, count) = (component.label, component.voxelCount)
      counts[code, default: 0] += 1
      self.components[code, default: []].append(component)
      voxelCounts[code, default: 0] += count
      bounds[code] = bounds[code]?.union(component.bounds) ?? component.bounds
      let (first, second) = largest[code] ?? (0, 0)
      largest[code] = count > first ? (count, first) : (first, max(second, count))
    }
  }

  /// The bounding boxes of the components that count as parts of a label.
  func largeParts(_ code: UInt16) -> [VoxelBounds] {
    let least = CaseMeasures.LabelMeasures.leastPartFraction * Double(voxelCounts[code] ?? 0)
    return (components[code] ?? []).filter { Double($0.voxelCount) >= least }.map(\.bounds)
  }
}

extension VolumeGrid {
  /// The axis across the acquired slices: the one with clearly the largest spacing, else that of axial slices.
  fileprivate var acquisitionAxis: Int {
    let axial = orientation.sliceAxis(of: .axial)
    let widest = (0..<3).max { spacing[$0] < spacing[$1] } ?? axial
    // Rounding errors of headers must not decide between axes.
    return spacing[widest] > 1.01 * spacing[axial] ? widest : axial
  }
}

extension Orientation {
  /// The sides of a grid that a box touches.
  fileprivate func sides(touchedBy box: VoxelBounds, of size: GridSize) -> [AnatomicalDirection] {
    var sides: Set<AnatomicalDirection> = []
    for axis in 0..<3 where size[axis] > 1 {
      if box.lower[axis] == 0 { sides.insert(self[axis].opposite) }
      if box.upper[axis] == size[axis] - 1 { sides.insert(self[axis]) }
    }
    return AnatomicalDirection.allCases.filter(sides.contains)
  }
}
