import Work

/// A convolution with weights prepared for its method, to be applied many times.
package struct PreparedConvolution: Sendable {
  /// The geometry of a convolution, its method and its tile: equal choices can use the same prepared weights.
  package struct Choice: Hashable, Sendable {
    /// Kernel, stride, padding, dilation and groups.
    package let geometry: ConvolutionGeometry
    package let method: ConvolutionMethod
    /// The tile of the transforms, where the method is `fourier`.
    package let tile: FFTTile?
  }

  /// The geometry, the method and its tile.
  package let choice: Choice
  private let weight: Tensor
  private let prepared: Prepared

  package var geometry: ConvolutionGeometry { choice.geometry }
  package var method: ConvolutionMethod { choice.method }

  private enum Prepared: Sendable {
    case pointwise
    case winograd(WinogradConvolution)
    case fourier(FFTConvolution)
    case implicitProduct(ImplicitConvolution)
    case groups([PreparedConvolution])
    case reference
  }

  /// The fastest choice for inputs of the given extents; nil stands for a large volume.
  ///
  /// - Parameters:
  ///   - weightShape: [out, in / groups, z, y, x].
  ///   - method: The method; nil for the best one.
  package static func choice(
    geometry: ConvolutionGeometry, weightShape: [Int], inputExtent: Extent3?,
    method: ConvolutionMethod? = nil
  ) -> Choice {
    let method =
      method
      ?? .best(for: .init(geometry: geometry, weightShape: weightShape, inputExtent: inputExtent))
    let tile =
      method == .fourier
      ? FFTConvolution.cheapestTile(
        geometry: geometry, inputChannels: weightShape[1],
        outputChannels: weightShape[0] / geometry.groups,
        inputExtent: inputExtent ?? Extent3(96, 192, 192)) : nil
    return Choice(geometry: geometry, method: method, tile: tile)
  }

  /// Prepares `weight`, [out, in / groups, z, y, x].
  ///
  /// - Parameters:
  ///   - inputExtent: The extents of most inputs; nil for a large volume. Inputs of other extents give equal results.
  ///   - method: The method; nil for the best one.
  /// - Throws: `Cancelled`.
  package init(
    weight: Tensor, geometry: ConvolutionGeometry, inputExtent: Extent3? = nil,
    method: ConvolutionMethod? = nil, work: WorkContext
  ) throws(Cancelled) {
    let choice = Self.choice(
      geometry: geometry, weightShape: weight.shape, inputExtent: inputExtent, method: method)
    try self.init(weight: weight, choice: choice, work: work)
  }

  /// Prepares `weight`, [out, in / groups, z, y, x], as chosen.
  /// - Throws: `Cancelled`.
  package init(weight: Tensor, choice: Choice, work: WorkContext) throws(Cancelled) {
    let geometry = choice.geometry
    precondition(
      weight.extent == geometry.kernel, "weights \(weight.shape) for a kernel of \(geometry.kernel)")
    self.weight = weight
    self.choice = choice
    if geometry.groups > 1, choice.method != .implicitProduct, choice.method != .reference {
      let ofGroup = Choice(geometry: geometry.ofGroup, method: choice.method, tile: choice.tile)
      prepared = .groups(
        try weight.parts(geometry.groups).map { part throws(Cancelled) in
          try PreparedConvolution(weight: part, choice: ofGroup, work: work)
        })
      return
    }
    switch choice.method {
    case .pointwise: prepared = .pointwise
    case .winograd:
      prepared = .winograd(try WinogradConvolution(weight: weight, geometry: geometry, work: work))
    case .fourier:
      guard let tile = choice.tile else { preconditionFailure("a convolution by FFT without a tile") }
      prepared = .fourier(try FFTConvolution(weight: weight, geometry: geometry, tile: tile, work: work))
    case .implicitProduct:
      prepared = .implicitProduct(try ImplicitConvolution(weight: weight, geometry: geometry, work: work))
    case .reference: prepared = .reference
    }
  }

  /// ``convolution(_:weight:bias:geometry:activation:work:)`` with the prepared weights.
  /// - Throws: `Cancelled`.
  package func apply(
    _ input: Tensor, bias: Tensor? = nil, activation: PiecewiseLinear = .identity, work: WorkContext
  ) throws(Cancelled) -> Tensor {
    precondition(
      input.channels == weight.shape[1] * geometry.groups
        && (bias.map { $0.elements.count == weight.shape[0] } ?? true),
      "input \(input.shape), bias \(bias?.shape ?? []) for weights \(weight.shape)")
    switch prepared {
    case .pointwise:
      return try PointwiseConvolution(weight: weight, bias: bias, activation: activation)(input, work: work)
    case .winograd(let convolution):
      return try convolution.with(bias: bias, activation: activation)(input, work: work)
    case .fourier(let convolution):
      return try convolution.forward(input, bias: bias, activation: activation, work: work)
    case .implicitProduct(let convolution):
      return try convolution.apply(input, bias: bias, activation: activation, work: work)
    case .groups(let groups):
      return try GroupedConvolution(groups, bias: bias, activation: activation)(input, work: work)
    case .reference:
      let output = convolutionReference(
        ReferenceTensor(input), weight: ReferenceTensor(weight), bias: bias.map { ReferenceTensor($0) },
        geometry: geometry)
      return piecewiseLinearReference(output, activation).rounded
    }
  }

  /// The convolution with `bias`, and `activation` of the results, as a step of an inference plan.
  ///
  /// - Parameter addsToOutput: Whether the results are added to what the output's memory holds before the activation.
  package func operation(
    bias: Tensor?, activation: PiecewiseLinear, addsToOutput: Bool = false
  ) -> any SingleInputOperation {
    switch prepared {
    case .pointwise:
      return PointwiseConvolution(
        weight: weight, bias: bias, activation: activation, addsToOutput: addsToOutput)
    case .winograd(let convolution):
      return convolution.with(bias: bias, activation: activation, addsToOutput: addsToOutput)
    case .implicitProduct(let convolution):
      return convolution.with(bias: bias, activation: activation, addsToOutput: addsToOutput)
    case .fourier(let convolution):
      return FFTConvolutionOperation(
        convolution, bias: bias, activation: activation, addsToOutput: addsToOutput)
    case .groups(let groups):
      return GroupedConvolution(groups, bias: bias, activation: activation, addsToOutput: addsToOutput)
    case .reference: preconditionFailure("the reference is not a step of a network")
    }
  }

  /// The operation fused with a max-pooling, so that only the maxima are stored; nil where the method cannot fuse it.
  package func operation(
    bias: Tensor?, activation: PiecewiseLinear, pooling: PoolingGeometry
  ) -> (any SingleInputOperation)? {
    switch prepared {
    case .fourier(let convolution) where convolution.fuses(pooling):
      return FFTConvolutionOperation(convolution, bias: bias, activation: activation, pooling: pooling)
    case .winograd(let convolution) where pooling.is2x2x2 && convolution.storesMaxima:
      return convolution.with(bias: bias, activation: activation, pools: true)
    case .implicitProduct(let convolution) where pooling.is2x2x2 && convolution.storesMaxima:
      return convolution.with(bias: bias, activation: activation, pools: true)
    case .groups(let groups):
      let biases = bias?.parts(groups.count)
      let operations = groups.indices.compactMap {
        groups[$0].operation(
          bias: biases?[$0], activation: activation.part($0, of: groups.count), pooling: pooling)
      }
      return operations.count == groups.count ? GroupedConvolution(operations) : nil
    default: return nil
    }
  }

  /// The gradients of a loss with respect to the input and to the weights, as
  /// ``convolutionInputGradient(_:weight:inputExtent:geometry:work:)`` and
  /// ``convolutionWeightGradient(input:outputGradient:geometry:work:)`` give them; where the method is `fourier`, both
  /// use the same transforms and the prepared weights.
  /// - Throws: `Cancelled`.
  package func gradients(
    input: Tensor, outputGradient: Tensor, work: WorkContext
  ) throws(Cancelled) -> (input: Tensor, weight: Tensor) {
    if case .fourier(let convolution) = prepared {
      return try convolution.gradients(input: input, outputGradient: outputGradient, work: work)
    }
    return (
      try convolutionInputGradient(
        outputGradient, weight: weight, inputExtent: input.extent, geometry: geometry, method: method,
        work: work),
      try convolutionWeightGradient(
        input: input, outputGradient: outputGradient, geometry: geometry, work: work)
    )
  }
}
