import Volumes
import Work

/// A label in two versions, matched by name; one of the values is nil where a version does not know the label.
package struct LabelPair: Equatable, Sendable {
  /// What both call it.
  package var name: String
  /// Its colour, A's where both have one.
  package var colour: RGBColour
  /// Its values.
  package var valueA, valueB: UInt16?

  /// The labels of two tables, by name whatever the case, in A's order and then B's.
  ///
  /// A label without a name of its own ("label 6") goes with the other table's label of the same value.
  package static func pairs(_ tableA: LabelTable, _ tableB: LabelTable) -> [LabelPair] {
    var unmatched = Dictionary(grouping: tableB.labels, by: \.key)
    var unmatchedValues = Set(tableB.labels.map(\.value))
    var pairs: [LabelPair] = []
    var taken: [UInt16: Label] = [:]
    for label in tableA.labels {
      guard let partner = unmatched[label.key]?.first else { continue }
      unmatched[label.key]?.removeFirst()
      unmatchedValues.remove(partner.value)
      taken[label.value] = partner
    }
    for label in tableA.labels {
      var partner = taken[label.value]
      if partner == nil, unmatchedValues.contains(label.value), let same = tableB[label.value],
        same.isUnnamed || label.isUnnamed
      {
        unmatchedValues.remove(same.value)
        partner = same
      }
      let name = label.isUnnamed ? partner?.name ?? label.name : label.name
      pairs.append(LabelPair(name: name, colour: label.colour, valueA: label.value, valueB: partner?.value))
    }
    return pairs
      + tableB.labels.filter { unmatchedValues.contains($0.value) }
      .map { LabelPair(name: $0.name, colour: $0.colour, valueA: nil, valueB: $0.value) }
  }
}

extension Label {
  /// Whether nobody named it.
  var isUnnamed: Bool { name == "label \(value)" }

  /// What visibility and selection go by, so that they hold across versions.
  var key: String { name.lowercased() }
}

/// Two versions to be compared label by label.
package struct ComparisonRequest: Equatable, Sendable {
  /// The versions.
  package var a, b: VersionID
  /// Their labels, on one grid.
  package var labelsA, labelsB: LabelVolume
  /// Which labels go together.
  package var pairs: [LabelPair]
}

/// How far two versions agree on each label.
package struct Comparison: Equatable, Sendable {
  /// One label.
  package struct Row: Equatable, Sendable {
    /// The label.
    package var pair: LabelPair
    /// Voxels in A, in B, in both.
    package var voxelsA, voxelsB, voxelsCommon: Int

    /// 2 |A∩B| / (|A| + |B|); 1 when both are empty.
    package var dice: Double {
      voxelsA + voxelsB == 0 ? 1 : 2 * Double(voxelsCommon) / Double(voxelsA + voxelsB)
    }
  }

  /// The versions.
  package var a, b: VersionID
  /// In the order of the request's pairs.
  package var rows: [Row]

  /// Counts overlaps in one pass.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels).
  package init(_ request: ComparisonRequest, _ work: WorkContext) throws(Cancelled) {
    a = request.a
    b = request.b
    // Position of each value's pair, counted from 1; 0 stands for background.
    var positionA = [Int32](repeating: 0, count: 65536)
    var positionB = positionA
    for (position, pair) in request.pairs.enumerated() {
      if let value = pair.valueA { positionA[Int(value)] = Int32(position + 1) }
      if let value = pair.valueB { positionB[Int(value)] = Int32(position + 1) }
    }
    let count = request.labelsA.voxels.count
    precondition(count == request.labelsB.voxels.count, "\(count) and \(request.labelsB.voxels.count) voxels")
    // Voxels of each pair in A, then in B, then in both; place 0 is background.
    let places = request.pairs.count + 1
    var counts = [Int](repeating: 0, count: 3 * places)
    let chunk = 1 << 20
    for start in stride(from: 0, to: count, by: chunk) {
      try work.checkCancellation()
      let end = min(start + chunk, count)
      request.labelsA.voxels.withUnsafeBufferPointer { voxelsA in
        request.labelsB.voxels.withUnsafeBufferPointer { voxelsB in
          counts.withUnsafeMutableBufferPointer { counts in
            // SAFETY: both volumes have `count` voxels, and positions are below `places`.
            for voxel in start..<end {
              let one = Int(positionA[Int(voxelsA[voxel])])
              let other = Int(positionB[Int(voxelsB[voxel])])
              counts[one] += 1
              counts[places + other] += 1
              if one == other { counts[2 * places + one] += 1 }
            }
          }
        }
      }
      work.report(Double(end) / Double(count))
    }
    rows = request.pairs.enumerated().map { position, pair in
      Row(
        pair: pair, voxelsA: counts[position + 1], voxelsB: counts[places + position + 1],
        voxelsCommon: counts[2 * places + position + 1])
    }
  }
}
