import Foundation
import Work

/// Splits a series with several slices at each position into volumes: time points, echoes, gradient directions.
struct SliceOrder {
  private let series: DicomSeries
  private let positions: [[PositionedSlice]]
  private let path: String
  private let possible: String
  /// The slices that may still be visited: attributes that split a part in every order would be tried in every order.
  private var remainingVisits: Int

  /// - Parameter possible: What errors about missing slices say of files that may be these.
  init(_ series: DicomSeries, _ positions: [[PositionedSlice]], path: String, possible: String) {
    (self.series, self.positions, self.path, self.possible) = (series, positions, path, possible)
    // A few attributes are tried for each part, and parts are split a few times.
    remainingVisits = min(512 * positions.reduce(0) { $0 + $1.count }, 1 << 24)
  }

  /// The slices of each volume.
  /// - Throws: ``InputError`` that names two slices at one position that no attribute distinguishes.
  mutating func volumes() throws(InputError) -> [[DicomSeries.Slice]] {
    let count = positions[0].count
    let slices = positions.map { $0.map(\.slice) }
    guard count > 1 || slices.contains(where: { $0.count > 1 }) else { return [slices.map { $0[0] }] }
    if slices.allSatisfy({ $0.count == count }), let volumes = volumes(of: slices) { return volumes }
    if let error = missingSlices(slices) { throw error }
    throw duplicates(slices)
  }

  /// The error that names two slices at one position.
  private func duplicates(_ positions: [[DicomSeries.Slice]]) -> InputError {
    let counts = positions.map(\.count)
    let (fewest, most) = (counts.min() ?? 0, counts.max() ?? 0)
    let group = positions.first { $0.count != fewest } ?? positions[0]
    let unusable = positions.joined().lazy.flatMap { slice in
      series.frame(slice).unusableAttributes.map { "\($0) in \(series.name(slice))" }
    }.first
    let found =
      fewest == most
      ? "\(counted(most, "slice")) at each position, "
        + (unusable.map { "and \($0)" } ?? "which no attribute distinguishes")
      : fewest == 1
        ? "\(counts.count { $0 > 1 }) of \(counted(counts.count, "position")) with several slices"
        : "\(fewest) to \(counted(most, "slice")) at a position"
    return InputError(
      path, "\(series.name(group[0])) and \(series.name(group[1])) lie at the same position", found: found,
      expected: fewest == most
        ? "one, or slices that differ in time, echo or b value" : "one, or the same number everywhere")
  }

  /// The error that names the slices that volumes lack, by the first attribute that distinguishes all but a few slices;
  /// nil where there is none.
  private func missingSlices(_ positions: [[DicomSeries.Slice]]) -> InputError? {
    let most = positions.map(\.count).max() ?? 0
    attributes: for attribute in attributes(of: positions) {
      // By value and position; pairs without a slice have no entry, so that this takes no more memory than the slices.
      var counts: [Double: [Int: Int]] = [:]
      for (number, group) in positions.enumerated() {
        for slice in group {
          guard let value = series.frame(slice).attributes[attribute] else { continue attributes }
          counts[value, default: [:]][number, default: 0] += 1
          guard counts.count <= most else { continue attributes }
        }
      }
      let pairs = counts.values.flatMap(\.values)
      guard let usual = pairs.max(), counts.count > 1, counts.count * usual == most else { continue }
      // More are missing where a few slices were made twice.
      let missingCount = counts.count * positions.count - pairs.count { $0 == usual }
      guard missingCount > 0, missingCount * 3 <= counts.count * positions.count else { continue }
      let values = counts.keys.sorted()
      let missing = values.flatMap { value in
        positions.indices.filter { counts[value]?[$0] != usual }.map { (value: value, position: $0) }
      }
      func text(_ value: Double) -> String {
        attribute == .gradient ? "\((values.firstIndex(of: value) ?? 0) + 1)" : significant(value, 14)
      }
      let named = missing.prefix(4).map { entry in
        "none of \(attribute.name) \(text(entry.value)) at the position of "
          + series.name(positions[entry.position][0])
      }
      let others = missing.count - named.count
      return InputError(
        path, "\(counted(missing.count, "slice is", "slices are")) missing",
        found: named.joined(separator: ", ") + (others > 0 ? " and \(others) more" : ""),
        expected: "a slice of each \(attribute.name) at every position\(possible)")
    }
    return nil
  }

  /// The attributes that slices state, in the order in which they are tried.
  private func attributes(of positions: [[DicomSeries.Slice]]) -> [FrameAttribute] {
    Set(positions.flatMap { $0.flatMap { series.frame($0).attributes.keys } }).sorted()
  }

  /// Splits equally many slices at each position by the first attribute that distinguishes them, and the
  /// parts by the next.
  private mutating func volumes(of positions: [[DicomSeries.Slice]]) -> [[DicomSeries.Slice]]? {
    let count = positions[0].count
    if count == 1 { return [positions.map { $0[0] }] }
    if let volumes = volumes(of: positions, areEven: true) { return volumes }
    let series = series
    if let parts = parts(of: positions, by: { series.frame($0).imageType }), let volumes = joined(parts) {
      return volumes
    }
    return numbered(positions) ?? volumes(of: positions, areEven: false)
  }

  /// - Parameter areEven: Whether every value occurs as often as any other one, as time points do; otherwise one b value may
  ///   occur once and another one with many directions.
  private mutating func volumes(
    of positions: [[DicomSeries.Slice]], areEven: Bool
  ) -> [[DicomSeries.Slice]]? {
    let series = series
    for attribute in attributes(of: positions) {
      let parts = parts(of: positions, areEven: areEven) { series.frame($0).attributes[attribute] }
      // The numbers of directions have no order; that of the frames is the one in which they were acquired.
      let ordered = attribute == .gradient ? parts.map(byFrame) : parts
      if let ordered, let volumes = joined(ordered) { return volumes }
    }
    return nil
  }

  /// Parts in the order of the frames, or files, at the first position.
  private func byFrame(_ parts: [[[DicomSeries.Slice]]]) -> [[[DicomSeries.Slice]]] {
    func first(_ part: [[DicomSeries.Slice]]) -> (Int, Int) {
      part[0].map { (series.instance($0).instanceNumber ?? 0, $0.frame) }.min { $0 < $1 } ?? (0, 0)
    }
    return parts.sorted { first($0) < first($1) }
  }

  private mutating func joined(_ parts: [[[DicomSeries.Slice]]]) -> [[DicomSeries.Slice]]? {
    var volumes: [[DicomSeries.Slice]] = []
    for part in parts {
      guard let inner = self.volumes(of: part) else { return nil }
      volumes += inner
    }
    return volumes
  }

  /// The slices by position for each value, ascending; nil unless every value occurs equally often at every position.
  /// - Parameter areEven: Whether it also has to occur as often as any other value.
  private mutating func parts<Value: Hashable & Comparable>(
    of positions: [[DicomSeries.Slice]], areEven: Bool = true, by value: (DicomSeries.Slice) -> Value?
  ) -> [[[DicomSeries.Slice]]]? {
    remainingVisits -= positions.reduce(0) { $0 + $1.count }
    guard remainingVisits > 0 else { return nil }
    var values: [Value: [[DicomSeries.Slice]]] = [:]
    for (number, group) in positions.enumerated() {
      for slice in group {
        guard let value = value(slice) else { return nil }
        values[value, default: Array(repeating: [], count: positions.count)][number].append(slice)
      }
      guard values.count <= positions[0].count else { return nil }
    }
    let size = values.values.first?[0].count ?? 0
    guard values.count > 1,
      values.values.allSatisfy({ groups in
        groups.allSatisfy { $0.count == groups[0].count } && (!areEven || groups[0].count == size)
      })
    else { return nil }
    return values.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Volumes in the order of instance numbers; nil unless every slice is an instance with a number of its own.
  private func numbered(_ positions: [[DicomSeries.Slice]]) -> [[DicomSeries.Slice]]? {
    let all = positions.flatMap { $0 }
    let numbers = all.compactMap { series.instance($0).instanceNumber }
    let uids = Set(all.map { series.instance($0).sopInstanceUID })
    guard numbers.count == all.count, Set(numbers).count == all.count, uids.count == all.count else {
      return nil
    }
    let sorted = positions.map { group in
      group.sorted { (series.instance($0).instanceNumber ?? 0) < (series.instance($1).instanceNumber ?? 0) }
    }
    return positions[0].indices.map { number in sorted.map { $0[number] } }
  }
}
