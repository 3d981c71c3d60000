import Foundation
import Volumes
import Work

/// The slices of a series, ordered and split into volumes, and the grid of these.
struct SliceStack {
  /// The grid of every volume.
  let grid: VolumeGrid
  /// The slices of each volume, in order of their positions along the plane's normal.
  let volumes: [[DicomSeries.Slice]]
  let findings: [Finding]

  /// Orders slices by position.
  ///
  /// - Parameters:
  ///   - path: The path that was opened, for errors.
  ///   - unreadable: The names of files that may be slices of the series but cannot be read.
  /// - Throws: ``InputError`` that names a slice that is missing, duplicate or out of line.
  init(_ series: DicomSeries, path: String, unreadable: [String] = []) throws(InputError) {
    let possible =
      switch unreadable.count {
      case 0: ""
      case 1: "; \(unreadable[0]), which cannot be read, may be it"
      default: "; \(unreadable[0]) and \(counted(unreadable.count - 1, "other file")) cannot be read"
      }
    guard let format = series.first.format else { throw InputError(path, "has no pixels") }
    guard !series.first.isMosaic else {
      throw InputError(
        path, "is a Siemens mosaic: all slices in one picture", found: series.first.modality,
        expected: "single slices, or the NIfTI file that dcm2niix makes of it")
    }
    var positioned: [PositionedSlice] = []
    var plane: FramePlane?
    for slice in series.slices {
      let frame = series.frame(slice)
      guard let own = frame.plane, let position = frame.position else {
        throw InputError(
          path, "\(series.name(slice)) does not say where it lies", found: series.first.modality,
          expected: frame.plane == nil
            ? "ImageOrientationPatient (0020,0037) and PixelSpacing (0028,0030)"
            : "ImagePositionPatient (0020,0032) of each slice")
      }
      plane = plane ?? own
      positioned.append(PositionedSlice(slice: slice, position: position))
    }
    guard let plane, let first = positioned.first else { throw InputError(path, "has no pixels") }
    let normal = plane.normal
    let origin = first.position
    positioned.sort { dot($0.position - origin, normal) < dot($1.position - origin, normal) }
    let positions = SliceStack.positions(positioned, tolerance: min(0.05, plane.columnSpacing / 20))
    let checked = SpacingCheck(
      series: series, positions: positions, normal: normal, path: path, possible: possible)
    var order = SliceOrder(series, positions, path: path, possible: possible)
    volumes = try order.volumes()
    let step: SIMD3<Double>
    (step, findings) = try checked.step(series.frame(first.slice))
    let size = GridSize(format.columns, format.rows, positions.count)
    guard checkedProduct(size.i, size.j, size.k, volumes.count, 8) != nil else {
      throw InputError(path, "has more voxels than can be counted")
    }
    let start = positions[0][0].position
    grid = VolumeGrid(
      size: size,
      affine: Affine(
        stepI: WorldPoint(lps: plane.rowDirection * plane.columnSpacing),
        stepJ: WorldPoint(lps: plane.columnDirection * plane.rowSpacing), stepK: WorldPoint(lps: step),
        origin: WorldPoint(lps: start)))
  }

  /// Groups sorted slices whose positions are at most `tolerance` millimetres apart.
  private static func positions(_ sorted: [PositionedSlice], tolerance: Double) -> [[PositionedSlice]] {
    var positions: [[PositionedSlice]] = []
    for slice in sorted {
      if let last = positions.last?[0], length(slice.position - last.position) <= tolerance {
        positions[positions.count - 1].append(slice)
      } else {
        positions.append([slice])
      }
    }
    return positions
  }
}

/// A slice and the centre of its first pixel (LPS, mm).
struct PositionedSlice {
  var slice: DicomSeries.Slice
  var position: SIMD3<Double>
}

extension WorldPoint {
  /// The RAS form of a point or step in DICOM's axes (LPS, mm).
  init(lps point: SIMD3<Double>) { self.init(0 - point.x, 0 - point.y, point.z) }

  /// The point or step in DICOM's axes (LPS, mm).
  var lps: SIMD3<Double> { SIMD3(0 - x, 0 - y, z) }
}

/// Checks that the positions of slices are evenly spaced along a line.
private struct SpacingCheck {
  let series: DicomSeries
  let positions: [[PositionedSlice]]
  let normal: SIMD3<Double>
  let path: String
  /// What errors about missing slices say of files that may be these.
  let possible: String

  /// The largest deviation from even spacing, as a fraction of the spacing; stated positions are rounded decimals.
  private static let tolerance = 0.1

  /// The step from a slice to the next (LPS, mm).
  /// - Parameter frame: The first slice, whose stated spacing a single slice has; 1 mm where it states none.
  func step(_ frame: DicomFrame) throws(InputError) -> (SIMD3<Double>, [Finding]) {
    let count = positions.count
    guard count > 1 else {
      let stated = frame.sliceSpacing
      let unusable = frame.unusableThickness.map { ", and SliceThickness (0018,0050) is no length: \($0)" }
      let finding = Finding(
        "there is one slice" + (unusable ?? ""),
        repair: stated.map { "it is taken to be \(significant($0)) mm thick, as the file states" }
          ?? "it is taken to be 1 mm thick")
      return (normal * (stated ?? 1), [finding])
    }
    let (first, last) = (positions[0][0].position, positions[count - 1][0].position)
    let step = (last - first) / Double(count - 1)
    let differences = positions.indices.map { positions[$0][0].position - first - step * Double($0) }
    let deviations = differences.map { length($0) }
    let largest = deviations.max() ?? 0
    let distance = dot(step, normal)
    guard largest <= Self.tolerance * distance || areRounded(distance) else {
      throw irregular(differences)
    }
    let missing = [missingBetween(distance, frame)].compactMap(\.self)
    guard largest > 0.01 * distance else { return (step, missing) }
    return (
      step,
      missing + [
        Finding(
          "slices are up to \(significant(largest, 2)) mm away from an even spacing of \(significant(distance, 4)) mm",
          repair: "they are taken to be evenly spaced")
      ]
    )
  }

  /// The finding that slices lie a multiple of the stated distance apart, as where every other one is missing; nil where
  /// they do not.
  private func missingBetween(_ distance: Double, _ frame: DicomFrame) -> Finding? {
    guard let stated = frame.sliceDistance else { return nil }
    let steps = (distance / stated).rounded()
    // Some scanners state the gap between slices: their thickness is the rest. Where both are alike, the distance is meant.
    let isGap =
      frame.sliceThickness.map {
        Swift.abs(distance - stated - $0) <= 0.02 * distance && Swift.abs($0 - stated) > 0.02 * stated
      } ?? false
    guard steps >= 2, Swift.abs(distance - steps * stated) <= 0.02 * stated, !isGap else { return nil }
    return Finding(
      "slices are \(significant(distance, 4)) mm apart, and SpacingBetweenSlices (0018,0088) is "
        + "\(significant(stated, 4)) mm",
      repair: "they are read where they lie; see that none is missing between them")
  }

  /// Whether the rounding of the stated decimals explains the differences from even spacing.
  private func areRounded(_ distance: Double) -> Bool {
    let unit = positions.joined().reduce(SIMD3<Double>(repeating: .infinity)) {
      pointwiseMin($0, series.frame($1.slice).positionUnit)
    }
    return RoundedPositions.explain(
      positions.map { $0[0].position }, at: positions.indices.map(Double.init), unit: unit, spacing: distance)
  }

  /// The number of slices that a gap has room for; 0 where it is no multiple of the usual distance.
  private func missingCount(_ gap: Double, _ usual: Double) -> Int {
    let steps = usual > 0 ? gap / usual : 0
    let isMultiple = steps > 1.5 && Swift.abs(steps - steps.rounded()) < 0.2 && steps < 1e6
    return isMultiple ? Int(saturating: steps.rounded()) - 1 : 0
  }

  /// The distance between slices that gaps are measured by: the stated one where some slices are that far apart and the
  /// others a multiple of it, because more than half of the slices may be missing; else the median.
  private func usualDistance(_ gaps: [Double]) -> Double {
    let median = gaps.sorted()[(gaps.count - 1) / 2]
    guard let stated = series.frame(positions[0][0].slice).sliceSpacing, let least = gaps.min(),
      Swift.abs(least - stated) <= 0.02 * stated,
      gaps.allSatisfy({ Swift.abs($0 / stated - ($0 / stated).rounded()) < 0.1 })
    else { return median }
    return stated
  }

  private func irregular(_ differences: [SIMD3<Double>]) -> InputError {
    let deviations = differences.map { length($0) }
    let gaps = positions.indices.dropLast().map {
      dot(positions[$0 + 1][0].position - positions[$0][0].position, normal)
    }
    let usual = usualDistance(gaps)
    let shown = significant(usual, 4)
    if let index = gaps.indices.max(by: { Swift.abs(gaps[$0] - usual) < Swift.abs(gaps[$1] - usual) }),
      Swift.abs(gaps[index] - usual) > 0.1 * usual
    {
      let (before, after) = (
        series.name(positions[index][0].slice), series.name(positions[index + 1][0].slice)
      )
      let missing = missingCount(gaps[index], usual)
      let all = gaps.reduce(0) { $0 + missingCount($1, usual) }
      let location = "between \(before) and \(after)"
      return InputError(
        path,
        missing == 0
          ? "its slices are not evenly spaced: \(before) and \(after)"
          : "\(counted(all, "slice is", "slices are")) missing"
            + (all > missing ? ", \(missing) of them" : "") + " " + location,
        found: "\(significant(gaps[index], 4)) mm",
        expected: "\(shown) mm, as between others\(missing == 0 ? "" : possible)")
    }
    let alongNormal = differences.map { Swift.abs(dot($0, normal)) }
    if let worst = deviations.indices.max(by: { deviations[$0] < deviations[$1] }),
      alongNormal[worst] > 0.7 * deviations[worst], let least = gaps.min(), let most = gaps.max()
    {
      // Each distance is near the usual one, but small differences add up.
      return InputError(
        path,
        "its slices are not evenly spaced: \(series.name(positions[worst][0].slice)) lies "
          + "\(significant(alongNormal[worst], 3)) mm from its place",
        found: "distances from \(significant(least, 4)) to \(significant(most, 4)) mm",
        expected: "one distance between all slices")
    }
    let worst = deviations.indices.max { deviations[$0] < deviations[$1] } ?? 0
    return InputError(
      path, "its slices are not in one line: \(series.name(positions[worst][0].slice))",
      found: "\(significant(deviations[worst], 3)) mm beside it", expected: "positions on one line")
  }
}
