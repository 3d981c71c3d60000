import Tensors
import Work

// The two networks of Dou et al., "3D deeply supervised network for automated segmentation of volumetric medical
// images", Medical Image Analysis 41 (2017). docs/decisions/0002-networks.md says what the paper leaves open.
// These functions only make graphs; no other code depends on the networks.

extension NetworkGraph {
  /// The liver network: six convolutions with 9x9x7, 7x7x5, 5x5x3 and 1x1x1 kernels (x, y, z), two poolings, two
  /// transposed convolutions; auxiliary heads on both poolings.
  ///
  /// - Parameters:
  ///   - classes: number of classes, background included.
  ///   - hasBatchNormalisation: whether one follows each convolution; inference folds it into the convolution.
  package static func liver(classes: Int = 2, hasBatchNormalisation: Bool = true) -> NetworkGraph {
    var builder = GraphBuilder(hasBatchNormalisation: hasBatchNormalisation)
    let upsampling = TransposedConvolutionGeometry(
      kernel: Extent3(3), padding: Extent3(1), outputPadding: Extent3(1))
    let middle = 16
    builder.block("1a", from: inputName, 8, kernel: Extent3(7, 9, 9))
    builder.block("1b", from: "relu1a", 8, kernel: Extent3(7, 9, 9))
    builder.pool("pool1", from: "relu1b")
    builder.block("2a", from: "pool1", 16, kernel: Extent3(5, 7, 7))
    builder.block("2b", from: "relu2a", 32, kernel: Extent3(5, 7, 7))
    builder.pool("pool2", from: "relu2b")
    builder.block("3a", from: "pool2", 32, kernel: Extent3(3, 5, 5))
    builder.block("3b", from: "relu3a", 32, kernel: Extent3(1))
    builder.upsample("deconv1", from: "relu3b", middle, upsampling)
    builder.upsample("deconv2", from: "deconv1", classes, upsampling)
    builder.upsample("aux1", from: "pool1", classes, upsampling)
    builder.upsample("aux2a", from: "pool2", middle, upsampling)
    builder.upsample("aux2b", from: "aux2a", classes, upsampling)
    return NetworkGraph(
      inputChannels: 1, layers: builder.layers,
      heads: [
        Head("main", layer: "deconv2", lossWeight: 1), Head("aux1", layer: "aux1", lossWeight: 0.3),
        Head("aux2", layer: "aux2b", lossWeight: 0.4),
      ])
  }

  /// The heart network as the authors released it: seven 3x3x3 convolutions with batch normalisation, three poolings,
  /// three transposed convolutions and a pointwise layer that gives the logits; auxiliary heads after conv2b and
  /// conv3b.
  ///
  /// - Parameters:
  ///   - classes: number of classes, background included.
  ///   - inputChannels: channels of the image.
  ///   - widthFactor: multiplies every layer's channels (32 to 256 at 1), for smaller variants of the network.
  package static func heart(classes: Int = 3, inputChannels: Int = 1, widthFactor: Double = 1) -> NetworkGraph
  {
    func width(_ channels: Int) -> Int { max(1, Int(saturating: (Double(channels) * widthFactor).rounded())) }
    var builder = GraphBuilder(hasBatchNormalisation: true)
    let upsampling = TransposedConvolutionGeometry(kernel: Extent3(4), padding: Extent3(1))
    builder.block("1a", from: inputName, width(32), kernel: Extent3(3))
    builder.pool("pool1", from: "relu1a")
    builder.block("2a", from: "pool1", width(64), kernel: Extent3(3))
    builder.block("2b", from: "relu2a", width(64), kernel: Extent3(3))
    builder.pool("pool2", from: "relu2b")
    builder.block("3a", from: "pool2", width(128), kernel: Extent3(3))
    builder.block("3b", from: "relu3a", width(128), kernel: Extent3(3))
    builder.pool("pool3", from: "relu3b")
    builder.block("4a", from: "pool3", width(256), kernel: Extent3(3))
    builder.block("4b", from: "relu4a", width(256), kernel: Extent3(3))
    builder.upsample("deconv1", from: "relu4b", width(128), upsampling)
    builder.upsample("deconv2", from: "deconv1", width(64), upsampling)
    builder.upsample("deconv3", from: "deconv2", width(32), upsampling)
    builder.logits("score", from: "deconv3", classes)
    builder.upsample("aux1d", from: "relu2b", width(32), upsampling, hasBias: false)
    builder.logits("aux1s", from: "aux1d", classes)
    builder.upsample("aux2d", from: "relu3b", width(64), upsampling, hasBias: false)
    builder.upsample("aux2e", from: "aux2d", width(32), upsampling, hasBias: false)
    builder.logits("aux2s", from: "aux2e", classes)
    return NetworkGraph(
      inputChannels: inputChannels, layers: builder.layers,
      heads: [
        Head("main", layer: "score", lossWeight: 5), Head("aux1", layer: "aux1s", lossWeight: 1),
        Head("aux2", layer: "aux2s", lossWeight: 2),
      ])
  }
}
