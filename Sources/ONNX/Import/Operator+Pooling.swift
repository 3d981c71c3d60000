import Networks
import Tensors
import Work

extension Operator {
  /// Poolings over windows and over the whole image.
  static let poolings: [String: Operator] = [
    "MaxPool": Operator(
      "auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"
    ) { graph, call throws(InputError) in
      let input = try call.spatialSignal(0)
      guard call.node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
        throw call.failure("has an output of indices", expected: "one output")
      }
      let pooling = try call.pooling(rank: input.axes.count)
      return [
        .signal(
          try graph.emit(
            MaxPoolingOperation(pooling.geometry, samePadding: pooling.rule), from: [input], call))
      ]
    },
    "AveragePool": Operator(
      "auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"
    ) { graph, call throws(InputError) in
      let input = try call.spatialSignal(0)
      let pooling = try call.pooling(rank: input.axes.count)
      return [
        .signal(
          try graph.emit(
            AveragePoolingOperation(
              pooling.geometry, samePadding: pooling.rule,
              countsPadding: call.integer("count_include_pad", absent: 0) != 0),
            from: [input], call))
      ]
    },
    "GlobalAveragePool": .ofSignal { graph, call, _ throws(InputError) in
      try graph.emit(.globalPooling(.average), from: [call.spatialSignal(0)], call)
    },
    "GlobalMaxPool": .ofSignal { graph, call, _ throws(InputError) in
      try graph.emit(.globalPooling(.maximum), from: [call.spatialSignal(0)], call)
    },
  ]

  /// Means, maxima and sums over all voxels or over the channels.
  static let reductions: [String: Operator] = [
    "ReduceMean": reduction(ofVoxels: .average, channelFactor: { 1 / Float($0) }),
    "ReduceMax": reduction(ofVoxels: .maximum, channelFactor: nil),
    "ReduceSum": reduction(ofVoxels: nil, channelFactor: { _ in 1 }),
  ]

  private static func reduction(
    ofVoxels statistic: GlobalStatistic?, channelFactor: (@Sendable (Int) -> Float)?
  ) -> Operator {
    .ofSignal("axes", "keepdims", "noop_with_empty_axes") { graph, call, input throws(InputError) in
      let rank = input.axes.count
      let axes = try call.axes(input: 1, rank: rank) ?? []
      guard !axes.isEmpty else {
        throw call.failure("reduces all axes", expected: "those in space, or the channels")
      }
      let reduced = Set(axes.compactMap { input.axes[$0] })
      let inSpace = Set(input.axes.compactMap(\.self)).subtracting([.batch, .channel])
      var output: Signal
      if let statistic, !reduced.contains(.channel), reduced.subtracting([.batch]) == inSpace,
        !input.isExpanded
      {
        output = try graph.emit(.globalPooling(statistic), from: [input], call)
      } else if let channelFactor, reduced.subtracting([.batch]) == [.channel], !input.isExpanded {
        let weights = [Float](repeating: channelFactor(input.channels), count: input.channels)
        output = try graph.emit(
          .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: 1, hasBias: false),
          from: [input],
          tensors: [.weight: Tensor(shape: [1, input.channels, 1, 1, 1], elements: weights)], call)
      } else {
        throw call.failure(
          "reduces the axes \(axes.map { input.axes[$0]?.rawValue ?? "1" }.joined(separator: ", "))",
          expected: "those in space, or the channels")
      }
      var result = input
      (result.layer, result.function) = (output.layer, .argument)
      (result.channels, result.extent) = (output.channels, output.extent)
      for axis in axes { result.shape[axis] = 1 }
      if try call.integer("keepdims", absent: 1) == 0 {
        result.axes = result.axes.indices.filter { !axes.contains($0) }.map { result.axes[$0] }
        result.shape = result.shape.indices.filter { !axes.contains($0) }.map { result.shape[$0] }
      }
      return result
    }
  }
}

extension OperatorCall {
  /// The windows of a pooling.
  fileprivate func pooling(rank: Int) throws(InputError) -> (geometry: PoolingGeometry, rule: SamePadding?) {
    guard let kernel = try integers("kernel_shape") else { throw failure("has no kernel_shape") }
    let dilation = try extent("dilations", rank: rank, absent: 1)
    guard dilation == Extent3(1) else { throw failure("is dilated", expected: "windows without gaps") }
    let padding = try padding(rank: rank)
    return (
      PoolingGeometry(
        kernel: try extent(kernel, "kernel_shape", rank: rank, depth: 1),
        stride: try extent("strides", rank: rank, absent: 1), padding: padding.numbers,
        roundsUp: try integer("ceil_mode", absent: 0) != 0),
      padding.rule
    )
  }
}
