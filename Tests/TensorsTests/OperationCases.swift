import Tensors
import TestSupport
import Testing
import Work

/// One convolution of the table that every method is compared on.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var batch = 1
  var inputChannels: Int
  var outputChannels: Int
  var extent: Extent3
  var geometry: ConvolutionGeometry

  var testDescription: String {
    "\(batch)x\(inputChannels)->\(outputChannels) on \(extent.d)x\(extent.h)x\(extent.w), kernel \(geometry.kernel), "
      + "stride \(geometry.stride), padding \(geometry.padding), dilation \(geometry.dilation), groups \(geometry.groups)"
  }

  var outputExtent: Extent3 { geometry.output(extent)! }

  /// Random input, weight, bias and output gradient, the same in every run.
  func operands(seed: UInt64 = 3) -> (input: Tensor, weight: Tensor, bias: Tensor, gradient: Tensor) {
    var generator = SplitMix64(seed: seed)
    let (k, o) = (geometry.kernel, outputExtent)
    return (
      generator.tensor([batch, inputChannels, extent.d, extent.h, extent.w]),
      generator.tensor([outputChannels, inputChannels / geometry.groups, k.d, k.h, k.w]),
      generator.tensor([outputChannels]),
      generator.tensor([batch, outputChannels, o.d, o.h, o.w])
    )
  }
}

/// Every kind of function that operations apply to results of `channels` channels: a ReLU, leaky ReLUs with one slope and
/// with one for each channel, some of them negative or above 1, a clip.
func resultActivations(channels: Int) -> [PiecewiseLinear] {
  [
    .relu, .leakyReLU(slopes: [0.01]),
    .leakyReLU(slopes: (0..<channels).map { Float($0 % 7) / 4 - 0.25 }), .clip(lower: -0.25, upper: 1.5),
  ]
}

extension SplitMix64 {
  /// A tensor of numbers in -1...1.
  mutating func tensor(_ shape: [Int]) -> Tensor {
    Tensor(shape: shape, elements: floats(shape.reduce(1, *)))
  }
}

/// Kernels odd, even and unequal, every stride, padding and dilation, groups, channels below, at and above the blocks
/// of the fast kernels, extents that end inside a panel, and a batch.
let convolutionCases: [ConvolutionCase] =
  [
    .init(
      inputChannels: 1, outputChannels: 8, extent: Extent3(9, 12, 14),
      geometry: .init(kernel: Extent3(7, 9, 9), padding: Extent3(3, 4, 4))),
    .init(
      inputChannels: 8, outputChannels: 8, extent: Extent3(7, 10, 11),
      geometry: .init(kernel: Extent3(7, 9, 9), padding: Extent3(3, 4, 4))),
    .init(
      inputChannels: 3, outputChannels: 5, extent: Extent3(6, 7, 9),
      geometry: .init(kernel: Extent3(3, 5, 5), padding: Extent3(1, 2, 2))),
    .init(
      batch: 2, inputChannels: 9, outputChannels: 17, extent: Extent3(5, 6, 7),
      geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
    .init(
      inputChannels: 16, outputChannels: 32, extent: Extent3(4, 4, 50), geometry: .init(kernel: Extent3(3))),
    .init(
      inputChannels: 2, outputChannels: 3, extent: Extent3(8, 9, 10),
      geometry: .init(kernel: Extent3(2), stride: Extent3(2))),
    .init(
      batch: 2, inputChannels: 4, outputChannels: 2, extent: Extent3(9, 8, 37),
      geometry: .init(kernel: Extent3(4), stride: Extent3(2), padding: Extent3(1))),
    .init(
      inputChannels: 3, outputChannels: 4, extent: Extent3(9, 11, 70),
      geometry: .init(kernel: Extent3(3), stride: Extent3(2), padding: Extent3(1))),
    .init(
      inputChannels: 2, outputChannels: 3, extent: Extent3(10, 9, 11),
      geometry: .init(
        kernel: Extent3(2, 3, 1), stride: Extent3(1, 2, 3), padding: Extent3(1, 2, 0),
        dilation: Extent3(2, 1, 1))),
    .init(
      inputChannels: 3, outputChannels: 2, extent: Extent3(9, 9, 9),
      geometry: .init(kernel: Extent3(3), stride: Extent3(2), padding: Extent3(2), dilation: Extent3(2))),
    .init(
      inputChannels: 7, outputChannels: 130, extent: Extent3(3),
      geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
    .init(
      inputChannels: 2, outputChannels: 2, extent: Extent3(1, 6, 8),
      geometry: .init(kernel: Extent3(1, 3, 3), padding: Extent3(0, 3, 3))),
    .init(
      inputChannels: 1, outputChannels: 1, extent: Extent3(7, 7, 7),
      geometry: .init(kernel: Extent3(1), stride: Extent3(3))),
    .init(
      batch: 2, inputChannels: 11, outputChannels: 3, extent: Extent3(3, 5, 7),
      geometry: .init(kernel: Extent3(1))),
    .init(inputChannels: 1, outputChannels: 1, extent: Extent3(1, 1, 1), geometry: .init(kernel: Extent3(1))),
  ] + paddedCases + groupedCases + winogradCases + dilatedCases

/// Other padding before an axis than after it, more than the kernel too, for each method that may take it.
private let paddedCases: [ConvolutionCase] = [
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(6, 7, 40),
    geometry: .init(
      kernel: Extent3(3, 2, 4), padding: Padding(before: Extent3(0, 1, 2), after: Extent3(2, 0, 1)))),
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(7, 6, 9),
    geometry: .init(
      kernel: Extent3(3), stride: Extent3(2), padding: Padding(before: Extent3(0), after: Extent3(1)))),
  .init(
    inputChannels: 12, outputChannels: 12, extent: Extent3(5, 6, 8),
    geometry: .init(kernel: Extent3(3), padding: Padding(before: Extent3(2, 1, 1), after: Extent3(0, 1, 1)))),
  .init(
    inputChannels: 2, outputChannels: 2, extent: Extent3(10, 11, 12),
    geometry: .init(
      kernel: Extent3(5), padding: Padding(before: Extent3(4, 0, 1), after: Extent3(1, 3, 2)))),
  .init(
    inputChannels: 1, outputChannels: 2, extent: Extent3(3, 4, 5),
    geometry: .init(
      kernel: Extent3(1, 2, 2), padding: Padding(before: Extent3(0, 3, 0), after: Extent3(2, 0, 4)),
      dilation: Extent3(1, 2, 2))),
]

/// One channel in each group, several, more outputs than inputs, groups above the blocks of eight rows, and groups of so
/// many channels that each is computed by itself.
private let groupedCases: [ConvolutionCase] = [
  .init(
    batch: 2, inputChannels: 9, outputChannels: 9, extent: Extent3(5, 6, 50),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), groups: 9)),
  .init(
    inputChannels: 3, outputChannels: 6, extent: Extent3(7, 8, 21),
    geometry: .init(
      kernel: Extent3(3), stride: Extent3(2), padding: Padding(before: Extent3(1, 0, 1), after: Extent3(1)),
      groups: 3)),
  .init(
    batch: 2, inputChannels: 4, outputChannels: 18, extent: Extent3(6, 7, 8),
    geometry: .init(kernel: Extent3(2, 3, 1), padding: Extent3(1), dilation: Extent3(2, 1, 3), groups: 2)),
  .init(
    batch: 2, inputChannels: 24, outputChannels: 28, extent: Extent3(5, 6, 7),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), groups: 2)),
  .init(
    batch: 2, inputChannels: 4, outputChannels: 2, extent: Extent3(9, 12, 13),
    geometry: .init(kernel: Extent3(5), padding: Extent3(2), groups: 2)),
  .init(
    inputChannels: 6, outputChannels: 4, extent: Extent3(3, 5, 7),
    geometry: .init(kernel: Extent3(1), groups: 2)),
]

/// Enough channels for Winograd: whole and partial blocks of channels and tiles, one voxel, so many channels
/// that tiles are small, and the strided convolution of both parities.
let winogradCases: [ConvolutionCase] = [
  .init(
    inputChannels: 16, outputChannels: 16, extent: Extent3(8),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(
    batch: 2, inputChannels: 17, outputChannels: 35, extent: Extent3(5, 6, 7),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(
    inputChannels: 12, outputChannels: 33, extent: Extent3(1, 1, 19),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(
    inputChannels: 20, outputChannels: 12, extent: Extent3(1),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(
    inputChannels: 129, outputChannels: 130, extent: Extent3(3, 2, 5),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(
    batch: 2, inputChannels: 13, outputChannels: 18, extent: Extent3(8, 10, 6),
    geometry: .init(kernel: Extent3(4), stride: Extent3(2), padding: Extent3(1))),
  .init(
    inputChannels: 16, outputChannels: 33, extent: Extent3(7, 5, 11),
    geometry: .init(kernel: Extent3(4), stride: Extent3(2), padding: Extent3(1))),
]

/// Dilated 3x3x3 kernels with 'same' padding, for Winograd on interleaved grids: equal and unequal dilations up to the
/// largest, extents that some grids have one voxel more of, grids of one voxel and fewer, whole and partial blocks of
/// channels, few channels, so many that tiles are small, and groups.
let dilatedCases: [ConvolutionCase] = [
  (2, 13, 18, Extent3(9, 11, 10), Extent3(2), 1), (1, 21, 21, Extent3(7, 9, 37), Extent3(1, 3, 5), 1),
  (1, 12, 14, Extent3(4, 7, 64), Extent3(1, 2, 16), 1), (1, 12, 12, Extent3(17, 5, 35), Extent3(16), 1),
  (1, 30, 17, Extent3(25, 4, 6), Extent3(4, 1, 1), 1), (1, 12, 13, Extent3(2, 3, 1), Extent3(4, 2, 3), 1),
  (1, 5, 5, Extent3(8, 8, 9), Extent3(2), 1), (1, 129, 130, Extent3(5, 4, 3), Extent3(2, 1, 2), 1),
  (2, 24, 26, Extent3(8, 9, 8), Extent3(2), 2),
].map { batch, inputs, outputs, extent, dilation, groups in
  ConvolutionCase(
    batch: batch, inputChannels: inputs, outputChannels: outputs, extent: extent,
    geometry: .init(kernel: Extent3(3), padding: dilation, dilation: dilation, groups: groups))
}

/// One transposed convolution of the table.
struct TransposedConvolutionCase: CustomTestStringConvertible, Sendable {
  var batch = 1
  var inputChannels: Int
  var outputChannels: Int
  var extent: Extent3
  var geometry: TransposedConvolutionGeometry

  var testDescription: String {
    "\(batch)x\(inputChannels)->\(outputChannels) on \(extent.d)x\(extent.h)x\(extent.w), kernel \(geometry.kernel), "
      + "stride \(geometry.stride), padding \(geometry.padding), output padding \(geometry.outputPadding), "
      + "dilation \(geometry.dilation), groups \(geometry.groups)"
  }

  /// Random input, weight, bias and output gradient, the same in every run.
  func operands(seed: UInt64 = 4) -> (input: Tensor, weight: Tensor, bias: Tensor, gradient: Tensor) {
    var generator = SplitMix64(seed: seed)
    let (k, o) = (geometry.kernel, geometry.output(extent)!)
    return (
      generator.tensor([batch, inputChannels, extent.d, extent.h, extent.w]),
      generator.tensor([inputChannels, outputChannels / geometry.groups, k.d, k.h, k.w]),
      generator.tensor([outputChannels]),
      generator.tensor([batch, outputChannels, o.d, o.h, o.w])
    )
  }
}

/// The kernels of decoders with few, many and unequal numbers of channels, a stride wider than the kernel, rows shorter
/// and longer than a vector, every parity of the output's extents, so many rows that a plane is split, wide strides,
/// other padding before an axis than after it, dilation and groups.
let transposedConvolutionCases: [TransposedConvolutionCase] = [
  .init(
    inputChannels: 3, outputChannels: 3, extent: Extent3(3, 11, 21),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(0))),
  .init(
    batch: 2, inputChannels: 9, outputChannels: 1, extent: Extent3(4, 9, 32),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1, 0, 1))),
  .init(
    inputChannels: 2, outputChannels: 12, extent: Extent3(2, 19, 17),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(0, 1, 0))),
  .init(
    inputChannels: 4, outputChannels: 48, extent: Extent3(2, 17, 40),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1))),
  .init(
    inputChannels: 1, outputChannels: 2, extent: Extent3(1),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1))),
  .init(inputChannels: 3, outputChannels: 5, extent: Extent3(4, 5, 6), geometry: .init(kernel: Extent3(2))),
  .init(
    batch: 2, inputChannels: 16, outputChannels: 2, extent: Extent3(3, 5, 27),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1))),
  .init(
    inputChannels: 8, outputChannels: 9, extent: Extent3(3, 4, 5),
    geometry: .init(kernel: Extent3(4), padding: Extent3(1))),
  .init(
    batch: 2, inputChannels: 17, outputChannels: 34, extent: Extent3(3, 4, 5),
    geometry: .init(kernel: Extent3(4), padding: Extent3(1))),
  .init(
    inputChannels: 12, outputChannels: 16, extent: Extent3(1, 1, 9),
    geometry: .init(kernel: Extent3(4), padding: Extent3(1))),
  .init(inputChannels: 2, outputChannels: 3, extent: Extent3(3, 4, 5), geometry: .init(kernel: Extent3(3))),
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(3, 4, 5),
    geometry: .init(
      kernel: Extent3(1, 3, 4), stride: Extent3(1, 2, 2), padding: Extent3(0, 1, 1),
      outputPadding: Extent3(0, 1, 0))),
  .init(
    inputChannels: 2, outputChannels: 2, extent: Extent3(2, 3, 2),
    geometry: .init(kernel: Extent3(2), stride: Extent3(3), outputPadding: Extent3(1))),
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(3, 4, 5),
    geometry: .init(kernel: Extent3(3), stride: Extent3(1), padding: Extent3(1))),
  .init(
    batch: 2, inputChannels: 12, outputChannels: 19, extent: Extent3(5, 6, 7),
    geometry: .init(kernel: Extent3(3), stride: Extent3(1), padding: Extent3(1))),
  .init(
    inputChannels: 14, outputChannels: 13, extent: Extent3(17, 6, 11),
    geometry: .init(
      kernel: Extent3(3), stride: Extent3(1), padding: Extent3(2, 1, 3), dilation: Extent3(2, 1, 3))),
  .init(
    inputChannels: 3, outputChannels: 2, extent: Extent3(2, 3, 4),
    geometry: .init(kernel: Extent3(6), stride: Extent3(4), padding: Extent3(1))),
  .init(
    inputChannels: 2, outputChannels: 1, extent: Extent3(2, 3, 2),
    geometry: .init(kernel: Extent3(10), stride: Extent3(8), padding: Extent3(1))),
  .init(
    batch: 2, inputChannels: 4, outputChannels: 4, extent: Extent3(1, 3, 5),
    geometry: .init(
      kernel: Extent3(1, 16, 16), stride: Extent3(1, 8, 8), padding: Extent3(0, 4, 4), groups: 4)),
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(3, 4, 5),
    geometry: .init(
      kernel: Extent3(3, 2, 4), padding: Padding(before: Extent3(0, 1, 2), after: Extent3(1, 0, 0)),
      outputPadding: Extent3(1, 0, 1))),
  .init(
    inputChannels: 2, outputChannels: 3, extent: Extent3(3, 4, 5),
    geometry: .init(
      kernel: Extent3(3, 2, 2), stride: Extent3(2, 3, 1), padding: Extent3(1), dilation: Extent3(2, 1, 3))),
  .init(
    batch: 2, inputChannels: 6, outputChannels: 18, extent: Extent3(3, 4, 5),
    geometry: .init(kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1), groups: 2)),
]
