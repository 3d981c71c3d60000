import Synchronization
import Tensors
import Work

/// Builds one step of inference from a layer and the layers that are fused after it.
package protocol StepBuilder: Sendable {
  /// Identifies prepared weights: inputs of equal variants share them.
  associatedtype Variant: Hashable & Sendable

  /// Fuses the only reader of the step's output into the step; returns false where that is impossible.
  mutating func fuse(_ epilogue: InferenceEpilogue) -> Bool

  /// The variant of the prepared weights for an input of extents `input`, of which slabs of `slabDepth` planes are
  /// computed at a time.
  func variant(for input: Extent3, slabDepth: Int) -> Variant

  /// The kernels of the step, in order; the last fused layer may have a kernel of its own.
  /// - Throws: `Cancelled`.
  func operations(_ variant: Variant, work: WorkContext) throws(Cancelled) -> [any PreparedOperation]
}

/// A layer as an epilogue that may be fused into the inference step before it.
package enum InferenceEpilogue: Sendable {
  /// y = scale x + shift per channel.
  case scaleAndShift(ChannelwiseAffine)
  /// A function of every voxel.
  case activation(PiecewiseLinear)
  /// The maximum over each window.
  case maxPooling(PoolingGeometry)
  /// The sum with another activation of the same shape.
  case sum
  /// A pointwise convolution with weights [out, in, 1, 1, 1].
  case pointwiseConvolution(FoldedWeights)
}

/// y = scale x + shift per channel.
package struct ChannelwiseAffine: Sendable {
  /// One per channel.
  package var scales: [Double]
  /// One per channel.
  package var shifts: [Double]

  package init(scales: [Double], shifts: [Double]) {
    self.scales = scales
    self.shifts = shifts
  }
}

/// A step that fuses no layer and uses one kernel for all inputs.
struct FixedStepBuilder: StepBuilder {
  let operation: any PreparedOperation

  func fuse(_ epilogue: InferenceEpilogue) -> Bool { false }
  func variant(for input: Extent3, slabDepth: Int) -> Bool { true }
  func operations(_ variant: Bool, work: WorkContext) -> [any PreparedOperation] { [operation] }
}

/// Prepares a step's weights for its kernels on demand.
protocol StepPreparation: Sendable {
  /// The kernels for inputs of extents `input`, of which slabs of `slabDepth` planes are computed at a time.
  func operations(
    for input: Extent3, slabDepth: Int, work: WorkContext
  ) throws(Cancelled) -> [any PreparedOperation]
}

extension StepBuilder {
  /// This builder with a cache of the variant used last.
  var preparation: any StepPreparation { LatestPreparation(self) }
}

/// Caches the variant used last only: spectra take more memory than activations, and images of one study have few
/// sizes.
private final class LatestPreparation<Builder: StepBuilder>: StepPreparation {
  private let builder: Builder
  private let latest = Mutex<(variant: Builder.Variant, operations: [any PreparedOperation])?>(nil)

  init(_ builder: Builder) { self.builder = builder }

  func operations(
    for input: Extent3, slabDepth: Int, work: WorkContext
  ) throws(Cancelled) -> [any PreparedOperation] {
    let variant = builder.variant(for: input, slabDepth: slabDepth)
    let cached = latest.withLock { $0?.variant == variant ? $0?.operations : nil }
    if let cached { return cached }
    // Outside the lock: two threads may prepare the same variant, which costs only time.
    let operations = try builder.operations(variant, work: work)
    latest.withLock { $0 = (variant, operations) }
    return operations
  }
}
