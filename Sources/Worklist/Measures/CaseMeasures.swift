import Foundation
import Metrics
import Volumes
import Work

/// Measures of the masks of a case that need no reader.
package struct CaseMeasures: Equatable, Sendable, Codable {
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
    /// The Dice coefficient with the other mask; nil without one.
    package var dice: Double?

    package init(
      value: Int, name: String, millilitres: Double, componentCount: Int = 1, holeCount: Int = 0,
      missingSliceCount: Int = 0, touchedSides: [AnatomicalDirection] = [], dice: Double? = nil
    ) {
      self.value = value
      self.name = name
      self.millilitres = millilitres
      self.componentCount = componentCount
      self.holeCount = holeCount
      self.missingSliceCount = missingSliceCount
      self.touchedSides = touchedSides
      self.dice = dice
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
  ///   - other: The mask that it is compared with, label by label, by value.
  ///   - names: The names of its labels.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels), and for each label O(voxels of its bounding box).
  package init(
    of mask: LabelVolume, comparedWith other: LabelVolume? = nil, names: LabelTable? = nil, work: WorkContext
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
    var (otherCounts, commonCounts): ([UInt16: Int], [UInt16: Int]) = ([:], [:])
    if let other {
      try mask.forEachPair(with: other, work: work.withoutProgress) { one, two, count in
        if two != 0 { otherCounts[two, default: 0] += count }
        if one == two, one != 0 { commonCounts[one, default: 0] += count }
      }
    }
    work.report(0.6)
    let codes = Set(voxelCounts.keys).union(otherCounts.keys).sorted()
    labels = []
    for (index, code) in codes.enumerated() {
      let count = voxelCounts[code] ?? 0
      var label = LabelMeasures(
        value: mask.coding.value(of: code), name: names?[code]?.name ?? mask.coding.name(of: code),
        millilitres: Double(count) * mask.grid.voxelVolume / 1000, componentCount: componentCounts[code] ?? 0)
      if let box = bounds[code] {
        label.holeCount = try mask.holeCount(of: code, within: box, work: work.withoutProgress)
        label.missingSliceCount = occupied[code].map { box.size[axis] - $0 } ?? 0
        label.touchedSides = mask.grid.orientation.sides(touchedBy: box, of: size)
      }
      if other != nil {
        label.dice = diceCoefficient(count, otherCounts[code] ?? 0, common: commonCounts[code] ?? 0)
      }
      labels.append(label)
      work.report(0.6 + 0.4 * Double(index + 1) / Double(codes.count))
    }
    labels.sort { $0.value < $1.value }
    work.report(1)
  }
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
