import Foundation
import Metrics
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

    /// A contradiction.
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
    /// Holes: sets of voxels that the label encloses in space, background among them.
    package var holeCount: Int
    /// Slices without the label between slices with it, across the axis with the largest spacing.
    package var missingSliceCount: Int
    /// The sides of the image that it touches, in the order R, L, A, P, S, I; an axis of one voxel has none.
    package var touchedSides: [AnatomicalDirection]
    /// The Dice coefficient with the other mask's label of the same name, or of the same value where one mask has no
    /// names; nil without another mask.
    package var dice: Double?
    /// What lies where this label lies in the other mask, where that is not what it is compared with.
    package var contradiction: Contradiction?

    package init(
      value: Int, name: String, millilitres: Double, componentCount: Int = 1, holeCount: Int = 0,
      missingSliceCount: Int = 0, touchedSides: [AnatomicalDirection] = [], dice: Double? = nil,
      contradiction: Contradiction? = nil
    ) {
      self.value = value
      self.name = name
      self.millilitres = millilitres
      self.componentCount = componentCount
      self.holeCount = holeCount
      self.missingSliceCount = missingSliceCount
      self.touchedSides = touchedSides
      self.dice = dice
      self.contradiction = contradiction
    }

    /// Whether a name, or a value written as a number, means this label.
    package func isCalled(_ text: String) -> Bool { name.nameKey == text.nameKey || Int(text) == value }
  }

  /// The labels of both masks, ascending by value.
  package var labels: [LabelMeasures]

  package init(labels: [LabelMeasures]) { self.labels = labels }

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
    let size = mask.grid.size
    let axis = mask.grid.acquisitionAxis
    let found = try ConnectedComponents(mask, work: work.part(0...0.4))
    var componentCounts: [UInt16: Int] = [:]
    var bounds: [UInt16: VoxelBounds] = [:]
    var voxelCounts: [UInt16: Int] = [:]
    for component in found.components {
      componentCounts[component.label, default: 0] += 1
      voxelCounts[component.label, default: 0] += component.voxelCount
      bounds[component.label] = bounds[component.label]?.union(component.bounds) ?? component.bounds
    }
    let occupied = try mask.occupiedPositions(along: axis, bounds: bounds, work: work.withoutProgress)
    let comparison = try other.map { (other) throws(Cancelled) in
      try MaskComparison(
        mask, names, voxelCounts.keys.sorted(), with: other, otherNames, work: work.withoutProgress)
    }
    work.report(0.6)
    labels = comparison?.absent ?? []
    for (index, code) in voxelCounts.keys.sorted().enumerated() {
      var label = LabelMeasures(
        value: mask.coding.value(of: code),
        name: comparison?.name(code) ?? names?[code]?.name ?? mask.coding.name(of: code),
        millilitres: Double(voxelCounts[code] ?? 0) * mask.grid.voxelVolume / 1000,
        componentCount: componentCounts[code] ?? 0, dice: comparison?.dice(code),
        contradiction: comparison?.contradictions[code])
      if let box = bounds[code] {
        label.holeCount = try mask.holeCount(of: code, within: box, work: work.withoutProgress)
        label.missingSliceCount = occupied[code].map { box.size[axis] - $0 } ?? 0
        label.touchedSides = mask.grid.orientation.sides(touchedBy: box, of: size)
      }
      labels.append(label)
      work.report(0.6 + 0.4 * Double(index + 1) / Double(voxelCounts.count))
    }
    labels.sort { ($0.value, $0.name) < ($1.value, $1.name) }
    work.report(1)
  }
}

/// The labels of a mask beside those of another, matched as `segdeck compare` matches them.
private struct MaskComparison {
  private var structures: [UInt16: MatchedStructure] = [:]
  private let extents: LabelExtents
  /// Labels that the other mask alone has.
  private(set) var absent: [CaseMeasures.LabelMeasures] = []
  /// Labels of the other mask that overlap a label which they are not compared with, by that label's code.
  private(set) var contradictions: [UInt16: CaseMeasures.Contradiction] = [:]

  init(
    _ mask: LabelVolume, _ names: LabelTable?, _ codes: [UInt16], with other: LabelVolume,
    _ otherNames: LabelTable?, work: WorkContext
  ) throws(Cancelled) {
    extents = try LabelExtents(reference: mask, other: other, work: work)
    let coding = mask.coding
    let overlaps = LabelOverlaps(extents)
    let otherCodes = overlaps.otherVoxelCounts.keys.sorted()
    var declared: [UInt16: UInt16] = [:]
    for structure in MatchedStructure.matches(
      reference: codes, referenceNames: names, other: otherCodes, otherNames: otherNames, coding: coding)
    {
      for code in structure.referenceValues { structures[code] = structure }
      if let code = structure.otherValues.first, structure.referenceValues.isEmpty {
        absent.append(
          CaseMeasures.LabelMeasures(
            value: coding.value(of: code), name: structure.name, millilitres: 0, componentCount: 0, dice: 0))
      } else if let one = structure.referenceValues.first, let two = structure.otherValues.first {
        declared[one] = two
      }
    }
    let tables = (
      (names ?? LabelTable()).completed(for: codes, coding: coding),
      (otherNames ?? LabelTable()).completed(for: otherCodes, coding: coding)
    )
    let matching = LabelMatching(
      reference: tables.0, other: tables.1, declared: declared, overlaps: overlaps)
    for pair in overlaps.pairs
    where matching.proposed[pair.reference] == pair.other
      && structures[pair.reference]?.otherValues.contains(pair.other) != true
    {
      contradictions[pair.reference] = CaseMeasures.Contradiction(
        name: tables.1[pair.other]?.name ?? coding.name(of: pair.other), dice: pair.dice)
    }
  }

  func name(_ code: UInt16) -> String? { structures[code]?.name }

  func dice(_ code: UInt16) -> Double? { structures[code].map { extents.overlap(of: $0).dice } }
}

extension VolumeGrid {
  /// The axis across the acquired slices: the one with clearly the largest spacing, else that of axial slices.
  fileprivate var acquisitionAxis: Int {
    let axial = orientation.sliceAxis(of: .axial)
    let widest = (0..<3).max { spacing[$0] < spacing[$1] } ?? axial
    // Rounding of headers does not choose an axis.
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

extension LabelVolume {
  /// For each label, the number of positions along an axis at which it has a voxel.
  fileprivate func occupiedPositions(
    along axis: Int, bounds: [UInt16: VoxelBounds], work: WorkContext
  ) throws(Cancelled) -> [UInt16: Int] {
    let size = grid.size
    var isOccupied = bounds.mapValues { [Bool](repeating: false, count: $0.size[axis]) }
    try voxels.withUnsafeBufferPointer { voxels throws(Cancelled) in
      for k in 0..<size.k {
        try work.checkCancellation()
        for j in 0..<size.j {
          let start = (k * size.j + j) * size.i
          var last: UInt16 = 0
          for i in 0..<size.i {
            let code = voxels[start + i]
            // Along i every voxel is a position of its own; across i one voxel of a run is enough.
            if code == 0 || axis != 0 && code == last {
              last = code
              continue
            }
            last = code
            guard let lower = bounds[code]?.lower[axis] else { continue }
            isOccupied[code]?[[i, j, k][axis] - lower] = true
          }
        }
      }
    }
    return isOccupied.mapValues { $0.count(where: \.self) }
  }
}
