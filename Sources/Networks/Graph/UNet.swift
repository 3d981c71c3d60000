import Tensors

/// The stages of a U-Net for images of one spacing and size: the kernels of their convolutions, and the strides from one
/// stage to the next.
///
/// The rule is that of nnU-Net's planner (Isensee et al., Nature Methods 18, 2021; `get_pool_and_conv_props` of its
/// release 2): an axis is halved while its voxels are less than twice as long as those of the finest axis and at least
/// four remain, so that coarse axes are halved later and voxels become isotropic; until then kernels have one tap along
/// it, and three from then on. An axis of one voxel does not count: crops of one slice give a 2D network.
package struct UNetStages: Hashable, Sendable {
  /// A stage: two convolutions of one kernel, the first with the stride.
  package struct Stage: Hashable, Sendable {
    /// 1 or 3 taps along each axis.
    package var kernel: Extent3
    /// Voxels of the stage before for each of this one along each axis: 1 or 2; 1 in the first stage.
    package var stride: Extent3
  }

  /// The stages, from the image's resolution to the coarsest.
  package let stages: [Stage]

  /// Voxels along an axis below which it is not halved.
  private static let smallestExtent = 4

  /// The stages for crops of `extent` voxels.
  /// - Parameter spacing: Millimetres from voxel to voxel along an axis, above 0.
  package init(extent: Extent3, spacing: (Axis) -> Double) {
    var spacings = Axis.allCases.map(spacing)
    var extents = Axis.allCases.map { $0(extent) }
    let axes = extents.indices.filter { extents[$0] > 1 }
    var taps = [1, 1, 1]
    var stages: [Stage] = []
    var stride = [1, 1, 1]
    func extent3(_ values: [Int]) -> Extent3 { Extent3(values[0], values[1], values[2]) }
    while true {
      let large = extents.indices.filter { extents[$0] >= 2 * Self.smallestExtent }
      let finestLarge = large.map { spacings[$0] }.min() ?? 0
      let halved = large.filter { spacings[$0] < 2 * finestLarge }
      guard halved.count > 1 || halved.contains(where: { extents[$0] >= 3 * Self.smallestExtent }) else {
        break
      }
      let finest = axes.map { spacings[$0] }.min() ?? 0
      for axis in axes where spacings[axis] < 2 * finest { taps[axis] = 3 }
      stages.append(Stage(kernel: extent3(taps), stride: extent3(stride)))
      stride = [1, 1, 1]
      for axis in halved {
        stride[axis] = 2
        spacings[axis] *= 2
        extents[axis] = (extents[axis] + 1) / 2
      }
    }
    for axis in axes { taps[axis] = 3 }
    stages.append(Stage(kernel: extent3(taps), stride: extent3(stride)))
    self.stages = stages
  }

  /// Voxels of the image for each voxel of a stage along each axis.
  package func totalStride(ofStage index: Int) -> Extent3 {
    Extent3 { axis in stages[...index].reduce(1) { $0 * axis($1.stride) } }
  }

  /// The smallest multiples of the total stride that hold `extent`.
  package func padded(_ extent: Extent3) -> Extent3 {
    let stride = totalStride(ofStage: stages.count - 1)
    return Extent3 { (($0(extent) + $0(stride) - 1) / $0(stride)) * $0(stride) }
  }
}

extension NetworkGraph {
  /// A U-Net with deep supervision: an encoder and a decoder of equal stages with skip connections between them.
  ///
  /// A stage has two blocks of convolution, batch normalisation and ReLU. A stage of the encoder begins with a strided
  /// convolution, one of the decoder with a transposed convolution whose result is concatenated with the encoder's.
  /// Auxiliary heads on the two stages of the decoder above the main head have half and a quarter of its loss weight, and
  /// reach the image's resolution by a transposed convolution of their class logits.
  ///
  /// - Parameters:
  ///   - stages: Kernels and strides.
  ///   - classes: Number of classes, background included.
  ///   - inputChannels: Channels of the image.
  ///   - channels: Channels of the first stage; they double from stage to stage, up to ten times as many.
  package static func uNet(
    _ stages: UNetStages, classes: Int, inputChannels: Int = 1, channels: Int
  ) -> NetworkGraph {
    let widths = stages.stages.indices.map { channels * min(1 << min($0, 4), 10) }
    var builder = GraphBuilder(hasBatchNormalisation: true)
    var previous = inputName
    var skips: [String] = []
    for (index, stage) in stages.stages.enumerated() {
      let name = "Down\(index + 1)"
      previous = builder.block(
        name + "a", from: previous, widths[index], kernel: stage.kernel, stride: stage.stride, hasBias: false)
      previous = builder.block(
        name + "b", from: previous, widths[index], kernel: stage.kernel, hasBias: false)
      skips.append(previous)
    }
    var heads: [Head] = []
    for index in stages.stages.indices.dropLast().reversed() {
      let stride = stages.stages[index + 1].stride
      let (up, join, name) = ("up\(index + 1)", "join\(index + 1)", "Up\(index + 1)")
      builder.upsample(
        up, from: previous, widths[index], TransposedConvolutionGeometry(kernel: stride, stride: stride))
      builder.concatenate(join, from: [up, skips[index]])
      let kernel = stages.stages[index].kernel
      previous = builder.block(name + "a", from: join, widths[index], kernel: kernel, hasBias: false)
      previous = builder.block(name + "b", from: previous, widths[index], kernel: kernel, hasBias: false)
      guard (1...2).contains(index) else { continue }
      let (score, auxiliary) = ("score\(index + 1)", "auxiliary\(index)")
      let scale = stages.totalStride(ofStage: index)
      builder.logits(score, from: previous, classes)
      builder.upsample(
        auxiliary, from: score, classes, TransposedConvolutionGeometry(kernel: scale, stride: scale),
        hasBias: false)
      heads.append(Head(auxiliary, layer: auxiliary, lossWeight: index == 1 ? 0.5 : 0.25))
    }
    builder.logits("score1", from: previous, classes)
    heads.append(Head("main", layer: "score1", lossWeight: 1))
    return NetworkGraph(inputChannels: inputChannels, layers: builder.layers, heads: heads.reversed())
  }
}
