import Foundation
import Networks
import Tensors
import TestSupport
import Work

extension ConvolutionGeometry {
  /// Three taps along each axis; the output has the input's extents.
  static let same = ConvolutionGeometry(kernel: Extent3(3), padding: Extent3(1))
}

extension PoolingGeometry {
  /// Half of each extent.
  static let half = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2))
}

extension TransposedConvolutionGeometry {
  /// Twice each extent.
  static let twice = TransposedConvolutionGeometry(kernel: Extent3(2))
}

extension NetworkGraph {
  /// Two levels, batch normalisation, a main head and an auxiliary one: small enough to train in a test.
  static let tiny: NetworkGraph = {
    NetworkGraph(
      inputChannels: 1,
      layers: [
        Layer("conv1", from: inputName, .convolution(.same, outputChannels: 4, hasBias: true)),
        Layer("bn1", from: "conv1", .batchNormalisation(epsilon: 1e-5)),
        Layer("relu1", from: "bn1", .relu),
        Layer("pool1", from: "relu1", .maxPooling(.half)),
        Layer("conv2", from: "pool1", .convolution(.same, outputChannels: 16, hasBias: true)),
        Layer("relu2", from: "conv2", .relu),
        Layer("up", from: "relu2", .transposedConvolution(.twice, outputChannels: 2, hasBias: true)),
        Layer("side", from: "pool1", .transposedConvolution(.twice, outputChannels: 2, hasBias: true)),
      ],
      heads: [Head("main", layer: "up", lossWeight: 1), Head("aux", layer: "side", lossWeight: 0.3)])
  }()
}

extension TrainingBatch {
  /// Noisy images whose label is 1 inside a bright ball.
  static func balls(count: Int, extent: Extent3, seed: UInt64) -> TrainingBatch {
    var generator = SplitMix64(seed: seed)
    var values: [Float] = []
    var labels: [UInt8] = []
    for _ in 0..<count {
      let centre = [extent.d, extent.h, extent.w].map { Double($0) * generator.uniform(0.35...0.65) }
      for z in 0..<extent.d {
        for y in 0..<extent.h {
          for x in 0..<extent.w {
            let offset = [Double(z) - centre[0], Double(y) - centre[1], Double(x) - centre[2]]
            let isInside = offset.reduce(0) { $0 + $1 * $1 } < 9
            labels.append(isInside ? 1 : 0)
            values.append(Float((isInside ? 1 : -0.3) + 0.4 * generator.normal()))
          }
        }
      }
    }
    return TrainingBatch(
      input: Tensor(shape: [count, 1, extent.d, extent.h, extent.w], elements: values), labels: labels)
  }
}

/// Runs `body` with a folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "networks-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The one line of the error that `body` throws.
func refusal(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "accepted"
  } catch { return "\(error)" }
}
