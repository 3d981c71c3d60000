import Foundation
import Volumes
import Work

/// Measures of the masks of a case that need no reader.
package struct CaseMeasures: Equatable, Sendable, Codable {
  /// A label of the other mask that overlaps a label of the first, although their names or values differ.
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
    /// The volume of the second largest component in mL; 0 where there is at most one component.
    package var secondComponentMillilitres: Double
    /// The number of holes: sets of voxels that the label encloses in three dimensions, of background or other labels.
    package var holeCount: Int
    /// The number of slices without the label between slices with it, along the axis with the largest spacing.
    ///
    /// Components below ``minimumPartFraction`` of the label do not count.
    package var missingSliceCount: Int
    /// The number of missing slices of each plane; a plane without missing slices has no entry.
    package var missingSlices: [AnatomicalPlane: Int]
    /// The sides of the image that the label touches, in the order R, L, A, P, S, I; an axis of one voxel has no sides.
    package var touchedSides: [AnatomicalDirection]
    /// The Dice coefficient with the other mask's label of the same name, or of the same value where one mask has no
    /// names; 0 where only one mask has the label, nil without another mask.
    package var dice: Double?
    /// The volume in the other mask in mL; nil without another mask.
    package var otherMillilitres: Double?
    /// The label of the other mask that overlaps this label most, where ``dice`` is of another label of that mask; else
    /// nil.
    package var contradiction: Contradiction?

    /// The minimum volume of a component that counts as a part of the label, as a fraction of the label's volume.
    ///
    /// A single stray voxel makes no gap. Removing a component of this size changes the Dice coefficient by 0.01.
    static let minimumPartFraction = 0.02

    package init(
      value: Int, name: String, millilitres: Double, componentCount: Int = 1,
      secondComponentMillilitres: Double = 0, holeCount: Int = 0, missingSliceCount: Int = 0,
      missingSlices: [AnatomicalPlane: Int] = [:], touchedSides: [AnatomicalDirection] = [],
      dice: Double? = nil, otherMillilitres: Double? = nil, contradiction: Contradiction? = nil
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
      self.otherMillilitres = otherMillilitres
      self.contradiction = contradiction
    }

    /// Whether `text` is the name of this label, or its value in digits.
    package func isCalled(_ text: String) -> Bool { name.nameKey == text.nameKey || Int(text) == value }

    /// The only mask, A or B, with the label, nil where both have it or nothing was compared.
    ///
    /// A label of A where another label of B lies is a contradiction instead.
    package var onlySide: String? {
      guard let otherMillilitres, contradiction == nil else { return nil }
      if millilitres == 0, otherMillilitres > 0 { return "B" }
      return millilitres > 0 && otherMillilitres == 0 ? "A" : nil
    }
  }

  /// The labels of both masks, ascending by value.
  package var labels: [LabelMeasures]
  /// A line about an image that cannot be opened, and for each mask whose grid differs from that of the image or of the first mask.
  package var misfits: [String] = []
  /// The fingerprints of the first two masks as a review has them, ``CaseDecision/Version/fingerprint(of:)``; fewer where
  /// a mask was not read, none where the masks do not have the image's grid.
  package var fingerprints: [String] = []

  /// A line about the first mask where it cannot be read, so that nothing of the case is measured; else nil.
  package private(set) var unreadMask: String?

  package init(labels: [LabelMeasures], misfits: [String] = [], fingerprints: [String] = []) {
    (self.labels, self.misfits, self.fingerprints) = (labels, misfits, fingerprints)
  }

  /// A case whose first mask cannot be read, for this reason, in one line.
  package init(unreadMask: String) {
    labels = []
    self.unreadMask = unreadMask
  }

  /// The lowest Dice coefficient of a label; nil without another mask, or without labels.
  package var lowestDice: Double? { labels.compactMap(\.dice).min() }

  /// Measures a mask, and compares it with another on the same grid.
  ///
  /// - Parameters:
  ///   - mask: The first mask, in the same coding as the other.
  ///   - names: The names of its labels; nil where it has none.
  ///   - other: The mask that it is compared with.
  ///   - otherNames: The names of that mask's labels.
  ///   - pairings: The pairings of both masks' labels that readers chose, of which the first that applies counts.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels), and for each label O(voxels of its bounding box).
  package init(
    of mask: LabelVolume, names: LabelTable? = nil, comparedWith other: LabelVolume? = nil,
    otherNames: LabelTable? = nil, pairings: CasePairings = CasePairings(), work: WorkContext
  ) throws(Cancelled) {
    let parts = MeasuredParts(try ConnectedComponents(mask, work: work.part(0...0.4)).components)
    let codes = parts.voxelCounts.keys.sorted()
    let comparison = try other.map { (other) throws(Cancelled) in
      try MaskComparison(
        mask, names, codes, with: other, otherNames, pairings: pairings, work: work.withoutProgress)
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
        otherMillilitres: comparison.map { millilitres($0.otherVoxelCount(code)) },
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

/// The connected components of each label, by its code.
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
    let minimum = CaseMeasures.LabelMeasures.minimumPartFraction * Double(voxelCounts[code] ?? 0)
    return (components[code] ?? []).filter { Double($0.voxelCount) >= minimum }.map(\.bounds)
  }
}

extension VolumeGrid {
  /// The axis across the acquired slices: the one with clearly the largest spacing, else that of axial slices.
  fileprivate var acquisitionAxis: Int {
    let axial = orientation.sliceAxis(of: .axial)
    let widest = (0..<3).max { spacing[$0] < spacing[$1] } ?? axial
    // The factor is above 1 so that rounding errors in headers do not choose the axis.
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
