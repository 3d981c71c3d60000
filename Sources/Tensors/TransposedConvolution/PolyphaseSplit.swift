import CKernels
import Work

/// The polyphase decomposition of some rows of an output gradient of stride 2, kernel 3 and padding 1: planes, rows and
/// columns are separated by parity.
///
/// Then each tap's operands for the input voxels (y, x) are one run in memory, at a fixed offset from y · pitch + x.
///
/// Each output channel has the planes 2z - 1, 2z and 2z + 1 (taps 0, 1 and 2). A plane has its even rows and its odd
/// rows, with the odd row before the first even one. A row has its even columns followed by a zero and its odd columns
/// preceded by a zero. Voxels outside the output are zeros. Plane 2z + 1 is reused as plane 2z - 1 of the next z.
struct PolyphaseSplit: Sendable {
  /// Channels of the gradient.
  let outputChannels: Int
  /// Rows of the input.
  let rows: Int
  /// Columns of the input and one column of zeros.
  let pitch: Int
  private let runs: (even: [Int], odd: [Int])

  /// Floats that products may read beyond the last run.
  private static let slack = 64

  init(outputChannels: Int, rows: Int, width: Int) {
    self.outputChannels = outputChannels
    self.rows = rows
    let pitch = width + 1
    self.pitch = pitch
    let images = Images(rows: rows, pitch: pitch)
    func runs(z: Int) -> [Int] {
      (0..<outputChannels * 3).flatMap { plane in
        let start = (plane / 3 * 3 + Self.planeIndex(tap: plane % 3, z: z)) * images.count
        // Tap 0 reads the odd rows from the one before on, tap 1 the even rows, tap 2 the odd ones; likewise columns.
        return [images.oddRows, 0, images.oddRows + pitch].flatMap { row in
          let oddColumns = row == 0 ? images.evenRowsOddColumns : row + (rows + 1) * pitch
          return [oddColumns, row, oddColumns + 1].map { start + $0 }
        }
      }
    }
    self.runs = (runs(z: 0), runs(z: 1))
  }

  /// Offsets of the runs of (output, tap z, y, x), the last fastest, for plane `z` of the input.
  func runs(z: Int) -> [Int] { z.isMultiple(of: 2) ? runs.even : runs.odd }

  /// Index of the plane that tap `tap` of plane `z` reads, among an output channel's three planes.
  private static func planeIndex(tap: Int, z: Int) -> Int {
    // The two odd planes alternate.
    tap == 1 ? 0 : 1 + (z + tap / 2) % 2
  }

  /// Offsets of the four phases of one plane; that of even columns of even rows is 0.
  private struct Images {
    let evenRowsOddColumns, oddRows, oddRowsOddColumns, count: Int

    init(rows: Int, pitch: Int) {
      evenRowsOddColumns = rows * pitch
      oddRows = 2 * rows * pitch
      oddRowsOddColumns = (3 * rows + 1) * pitch
      count = (4 * rows + 2) * pitch
    }
  }

  /// Floats of memory.
  var count: Int { outputChannels * 3 * Images(rows: rows, pitch: pitch).count + Self.slack }

  /// Decomposes the rows of the output gradient that plane `z` and the rows from `y` on of the input depend on.
  ///
  /// - Parameters:
  ///   - gradient: One sample's output gradient, of extents `extent`.
  ///   - follows: Whether the previous call was for plane z - 1 and the same rows, so that the common plane is reused.
  ///   - sums: One per output; the sums over the planes 2z and 2z + 1 and the rows from 2y on are added to them.
  func fill(
    _ memory: UnsafeMutablePointer<Float>, from gradient: UnsafePointer<Float>, extent: Extent3, z: Int,
    y: Int, follows: Bool, sums: UnsafeMutablePointer<Double>, level: kernels_level
  ) {
    let images = Images(rows: rows, pitch: pitch)
    for output in 0..<outputChannels {
      for tap in (follows ? 1 : 0)..<3 {
        let plane = 2 * z - 1 + tap
        let image = memory + (output * 3 + Self.planeIndex(tap: tap, z: z)) * images.count
        let source = gradient + (output * extent.d + plane) * extent.h * extent.w
        for index in 0...2 * rows {
          // In the order of the gradient's memory, which alternates odd and even rows.
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
          // Remains 0 where the output has no last odd column.
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
