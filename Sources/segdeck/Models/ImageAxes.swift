import Segmentation
import Tensors
import Volumes
import Work

/// The order in which a network of another program has the axes of an image: "zyx", as those that read images with
/// SimpleITK, nnU-Net among them; "xyz", as those that read them with nibabel, MONAI among them.
///
/// x, y and z are the axes of an image's file in its own order, i, j and k.
struct ImageAxes: Equatable {
  /// For each axis of the network, slowest first, the axis of the image: 0 x, 1 y, 2 z.
  private let order: [Int]

  static let slowestFirst = ImageAxes(order: [2, 1, 0])
  static let fastestFirst = ImageAxes(order: [0, 1, 2])

  private init(order: [Int]) { self.order = order }

  /// The axes of a network that has the axes `order`, numbers into z, y, x, as nnU-Net's `transpose_forward`; nil where
  /// they are none.
  init?(transposed order: [Int]) {
    guard order.sorted() == [0, 1, 2] else { return nil }
    self.order = order.map { 2 - $0 }
  }

  /// Reads "zyx", "xyz" or another order of the three; "yx" and "xy" are those of slices across z.
  /// - Throws: ``InputError`` about `--axes`.
  init(_ text: String) throws(InputError) {
    let letters = text.count == 2 ? "z" + text : text
    let order = letters.compactMap { letter in
      ["x", "y", "z"].firstIndex(of: String(letter))
    }
    guard letters.count == 3, order.sorted() == [0, 1, 2] else {
      throw InputError(
        "--axes", "no order of axes", found: text,
        expected: "zyx (nnU-Net, SimpleITK), xyz (MONAI, nibabel) or another order; yx or xy of a 2D network")
    }
    self.order = order
  }

  /// The orientation of the network's axes x, y, z, that is of its last, middle and first axis, for an image whose axes x,
  /// y, z have the orientation `code`.
  func orientation(_ code: String) -> String {
    let letters = Array(code)
    return String(order.reversed().map { letters[$0] })
  }

  /// Lengths along the network's last, middle and first axis.
  func spacing(_ lengths: Spacing) -> Spacing {
    Spacing(lengths[order[2]], lengths[order[1]], lengths[order[0]])
  }

  /// Extents along the network's axes, slowest first.
  func extent(_ size: GridSize) -> Extent3 { Extent3(size[order[0]], size[order[1]], size[order[2]]) }

  /// Lengths along x, y, z of lengths along the network's axes, slowest first.
  func lengths(_ along: [Double]) -> Spacing {
    var lengths = [Double](repeating: 1, count: 3)
    for (place, axis) in order.enumerated() { lengths[axis] = along[place] }
    return Spacing(lengths[0], lengths[1], lengths[2])
  }

  /// Extents along x, y, z of extents along the network's axes, slowest first.
  func size(_ along: [Int]) -> GridSize {
    var size = [Int](repeating: 1, count: 3)
    for (place, axis) in order.enumerated() { size[axis] = along[place] }
    return GridSize(size[0], size[1], size[2])
  }
}
