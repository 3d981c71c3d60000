import Foundation
import Work

/// Splits a series with several slices at each position into volumes: time points, echoes, gradient directions.
struct SliceOrder {
  private let series: DicomSeries
  private let positions: [[PositionedSlice]]
  private let path: String

  init(_ series: DicomSeries, _ positions: [[PositionedSlice]], path: String) {
    (self.series, self.positions, self.path) = (series, positions, path)
  }

  /// The slices of each volume.
  /// - Throws: ``InputError`` that names two slices at one position that no attribute distinguishes.
  func volumes() throws(InputError) -> [[DicomSeries.Slice]] {
    let count = positions[0].count
    let slices = positions.map { $0.map(\.slice) }
    guard count > 1 || slices.contains(where: { $0.count > 1 }) else { return [slices.map { $0[0] }] }
    if slices.allSatisfy({ $0.count == count }), let volumes = volumes(of: slices) { return volumes }
    let group = slices.first { $0.count != slices.map(\.count).min() } ?? slices[0]
    let isDouble = slices.contains { $0.count == 1 }
    throw InputError(
      path, "\(series.name(group[0])) and \(series.name(group[1])) lie at the same position",
      found: isDouble
        ? "\(slices.count { $0.count > 1 }) of \(counted(slices.count, "position")) with several slices"
        : "\(slices.map(\.count).min() ?? 0) to \(counted(slices.map(\.count).max() ?? 0, "slice")) at a position",
      expected: "one, or the same number everywhere")
  }

  /// Splits equally many slices at each position by the first attribute that distinguishes them, and the
  /// parts by the next.
  private func volumes(of positions: [[DicomSeries.Slice]]) -> [[DicomSeries.Slice]]? {
    let count = positions[0].count
    if count == 1 { return [positions.map { $0[0] }] }
    let attributes = Set(positions.flatMap { $0.flatMap { series.frame($0).attributes.keys } }).sorted()
    for attribute in attributes where attribute != .instance {
      if let parts = parts(of: positions, by: { series.frame($0).attributes[attribute] }),
        let volumes = joined(parts)
      {
        return volumes
      }
    }
    if let parts = parts(of: positions, by: { series.frame($0).imageType }), let volumes = joined(parts) {
      return volumes
    }
    return numbered(positions)
  }

  private func joined(_ parts: [[[DicomSeries.Slice]]]) -> [[DicomSeries.Slice]]? {
    var volumes: [[DicomSeries.Slice]] = []
    for part in parts {
      guard let inner = self.volumes(of: part) else { return nil }
      volumes += inner
    }
    return volumes
  }

  /// The slices by position for each value, ascending; nil unless every value occurs equally often at every position.
  private func parts<Value: Hashable & Comparable>(
    of positions: [[DicomSeries.Slice]], by value: (DicomSeries.Slice) -> Value?
  ) -> [[[DicomSeries.Slice]]]? {
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
      values.values.allSatisfy({ $0.count == positions.count && $0.allSatisfy { $0.count == size } })
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
