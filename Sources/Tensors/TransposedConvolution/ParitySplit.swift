import CKernels
import Work

/// Some rows of an output gradient of stride 2, kernel 3 and padding 1, sorted by the parity of their planes, rows and
/// columns, so that what a tap joins to the input's voxels is a run: voxel (y, x) finds it at a fixed distance from
/// y · pitch + x.
///
/// Of every output the planes 2z - 1, 2z and 2z + 1 are held (taps 0, 1 and 2); of each the even rows, those behind
/// them and, with the row before them, the odd rows; each row as its even columns with a zero behind them and its odd
/// columns with a zero before them. What lies outside the output is zeros. Plane 2z + 1 stays where it is as plane 2z - 1 of
/// the next z.
struct ParitySplit: Sendable {
  /// Channels of the gradient.
  let outputs: Int
  /// Rows of the input that are served.
  let rows: Int
  /// Columns of the input, and one of zeros.
  let pitch: Int
  private let runs: (even: [Int], odd: [Int])

  /// Floats that products may read beyond the last run.
  private static let slack = 64

  init(outputs: Int, rows: Int, width: Int) {
    self.outputs = outputs
    self.rows = rows
    let pitch = width + 1
    self.pitch = pitch
    let images = Images(rows: rows, pitch: pitch)
    func runs(z: Int) -> [Int] {
      (0..<outputs * 3).flatMap { plane in
        let start = (plane / 3 * 3 + Self.place(tap: plane % 3, z: z)) * images.count
        // Tap 0 reads the odd rows from the one before on, tap 1 the even rows, tap 2 the odd ones; likewise columns.
        return [images.oddRows, 0, images.oddRows + pitch].flatMap { row in
          let oddColumns = row == 0 ? images.evenRowsOddColumns : row + (rows + 1) * pitch
          return [oddColumns, row, oddColumns + 1].map { start + $0 }
        }
      }
    }
    self.runs = (runs(z: 0), runs(z: 1))
  }

  /// Where the run of (output, tap of z, y, x) starts in plane `z`, the last fastest.
  func runs(z: Int) -> [Int] { z.isMultiple(of: 2) ? runs.even : runs.odd }

  /// Which of an output's three planes tap `tap` of plane `z` reads.
  private static func place(tap: Int, z: Int) -> Int {
    // The odd planes take turns.
    tap == 1 ? 0 : 1 + (z + tap / 2) % 2
  }

  /// Where the four images of one plane start, that of the even columns of even rows at 0.
  private struct Images {
    let evenRowsOddColumns, oddRows, oddRowsOddColumns, count: Int

    init(rows: Int, pitch: Int) {
      evenRowsOddColumns = rows * pitch
      oddRows = 2 * rows * pitch
      oddRowsOddColumns = (3 * rows + 1) * pitch
      count = (4 * rows + 2) * pitch
    }
  }

  /// Floats of memory that it takes.
  var count: Int { outputs * 3 * Images(rows: rows, pitch: pitch).count + Self.slack }

  /// Sorts what plane `z` and the rows from `y` on of the input are joined to.
  ///
  /// - Parameters:
  ///   - gradient: One sample's output gradient, of extents `extent`.
  ///   - follows: Whether the call before was for plane z - 1 and the same rows, so that their common plane stays.
  ///   - sums: One per output, to which those over the planes 2z and 2z + 1 and the rows that are not before 2y are added.
  func fill(
    _ memory: UnsafeMutablePointer<Float>, from gradient: UnsafePointer<Float>, extent: Extent3, z: Int,
    y: Int, follows: Bool, sums: UnsafeMutablePointer<Double>, level: kernels_level
  ) {
    let images = Images(rows: rows, pitch: pitch)
    for output in 0..<outputs {
      for tap in (follows ? 1 : 0)..<3 {
        let plane = 2 * z - 1 + tap
        let image = memory + (output * 3 + Self.place(tap: tap, z: z)) * images.count
        let source = gradient + (output * extent.d + plane) * extent.h * extent.w
        for index in 0...2 * rows {
          // In the order of memory: odd rows are behind the even ones, but for the first.
          let row = 2 * y - 1 + index
          let even = image + index / 2 * pitch + (index.isMultiple(of: 2) ? images.oddRows : 0)
          let odd = even + (index.isMultiple(of: 2) ? rows + 1 : rows) * pitch
          guard plane >= 0, plane < extent.d, row >= 0, row < extent.h else {
            even.update(repeating: 0, count: pitch)
            odd.update(repeating: 0, count: pitch)
            continue
          }
          even[pitch - 1] = 0
          odd[0] = 0
          // Stays where the last odd column is none of the output's.
          odd[pitch - 1] = 0
          let sum = transposed_convolution_split(
            level, source + row * extent.w, Int32(extent.w), even, odd + 1)
          if tap > 0, index > 0 { sums[output] += sum }
        }
      }
    }
    (memory + count - Self.slack).update(repeating: 0, count: Self.slack)
  }
}
