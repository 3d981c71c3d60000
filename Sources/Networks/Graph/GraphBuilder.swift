import Tensors

/// Collects layers: a block of convolution, batch normalisation and ReLU is `conv`, `bn` and `relu` with the block's
/// name.
struct GraphBuilder {
  let hasBatchNormalisation: Bool
  private(set) var layers: [Layer] = []

  init(hasBatchNormalisation: Bool) { self.hasBatchNormalisation = hasBatchNormalisation }

  /// Convolution, batch normalisation and ReLU, same padding (odd kernels).
  /// - Parameter hasBias: Whether the convolution has a bias, which a batch normalisation takes away.
  /// - Returns: The name of the block's last layer.
  @discardableResult
  mutating func block(
    _ name: String, from input: String, _ channels: Int, kernel: Extent3, stride: Extent3 = Extent3(1),
    hasBias: Bool = true
  ) -> String {
    let geometry = ConvolutionGeometry(
      kernel: kernel, stride: stride, padding: Extent3 { $0(kernel) / 2 })
    layers.append(
      Layer("conv" + name, from: input, .convolution(geometry, outputChannels: channels, hasBias: hasBias)))
    if hasBatchNormalisation {
      layers.append(Layer("bn" + name, from: "conv" + name, .batchNormalisation(epsilon: 1e-5)))
    }
    layers.append(Layer("relu" + name, from: layers[layers.count - 1].name, .relu))
    return "relu" + name
  }

  mutating func pool(_ name: String, from input: String) {
    let geometry = PoolingGeometry(kernel: Extent3(2), stride: Extent3(2), roundsUp: false)
    layers.append(Layer(name, from: input, .maxPooling(geometry)))
  }

  mutating func upsample(
    _ name: String, from input: String, _ channels: Int, _ geometry: TransposedConvolutionGeometry,
    hasBias: Bool = true
  ) {
    layers.append(
      Layer(
        name, from: input, .transposedConvolution(geometry, outputChannels: channels, hasBias: hasBias)))
  }

  mutating func concatenate(_ name: String, from inputs: [String]) {
    layers.append(Layer(name, from: inputs, .concatenate))
  }

  mutating func logits(_ name: String, from input: String, _ classes: Int) {
    let pointwise = ConvolutionGeometry(kernel: Extent3(1))
    layers.append(Layer(name, from: input, .convolution(pointwise, outputChannels: classes, hasBias: true)))
  }
}
