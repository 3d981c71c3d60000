import Synchronization
import Tensors
import Work

/// A step of inference in the making: a layer and those behind it that it took in.
package protocol StepDraft: Sendable {
  /// What inputs have in common that can share prepared weights.
  associatedtype Variant: Hashable & Sendable

  /// Takes in the layer behind, whose only reader of the step's output it is; false where it cannot.
  mutating func takeIn(_ follower: StepFollower) -> Bool

  /// Which prepared weights suit an input of the given extents.
  func variant(for input: Extent3) -> Variant

  /// The kernels that do the step one after the other. Only a last layer that was taken in may have one of its own.
  /// - Throws: `Cancelled`.
  func operations(_ variant: Variant, work: WorkContext) throws(Cancelled) -> [any PreparedOperation]
}

/// What a layer is to a step in front of it.
package enum StepFollower: Sendable {
  /// Factor and offset per channel.
  case scaleAndShift(ChannelwiseAffine)
  /// max(x, 0).
  case rectification
  /// The maximum over each window.
  case maxPooling(PoolingGeometry)
  /// A pointwise convolution with weights [out, in, 1, 1, 1].
  case mixing(FoldedWeights)
}

/// y = factor x + offset per channel.
package struct ChannelwiseAffine: Sendable {
  package var factors: [Double]
  package var offsets: [Double]

  package init(factors: [Double], offsets: [Double]) {
    self.factors = factors
    self.offsets = offsets
  }
}

/// A step that takes nothing in and is the same for all inputs.
struct FixedDraft: StepDraft {
  let operation: any PreparedOperation

  func takeIn(_ follower: StepFollower) -> Bool { false }
  func variant(for input: Extent3) -> Bool { true }
  func operations(_ variant: Bool, work: WorkContext) -> [any PreparedOperation] { [operation] }
}

/// A step's weights in the form of its kernels, made when an input first asks for them.
protocol StepPreparation: Sendable {
  /// The kernels for inputs of the given extents.
  func operations(for input: Extent3, work: WorkContext) throws(Cancelled) -> [any PreparedOperation]
}

extension StepDraft {
  /// The draft with a memory.
  var preparation: any StepPreparation { LatestPreparation(self) }
}

/// Keeps the variant that was asked for last: spectra take more memory than activations, and images of one study have
/// few sizes.
private final class LatestPreparation<Draft: StepDraft>: StepPreparation {
  private let draft: Draft
  private let latest = Mutex<(variant: Draft.Variant, operations: [any PreparedOperation])?>(nil)

  init(_ draft: Draft) { self.draft = draft }

  func operations(for input: Extent3, work: WorkContext) throws(Cancelled) -> [any PreparedOperation] {
    let variant = draft.variant(for: input)
    let kept = latest.withLock { $0?.variant == variant ? $0?.operations : nil }
    if let kept { return kept }
    // Outside the lock: another thread may prepare the same, which costs time and nothing else.
    let operations = try draft.operations(variant, work: work)
    latest.withLock { $0 = (variant, operations) }
    return operations
  }
}
