import CKernels

/// The vector instructions that an operation's kernels use.
package enum KernelLevel {
  /// An upper limit for the operations of the current task, which tests lower to compare every level.
  @TaskLocal package static var limit: kernels_level?

  /// The level to run at; an operation asks once, before its parallel loops.
  package static var current: kernels_level {
    let highest = kernels_current_level()
    guard let limit, limit.rawValue < highest.rawValue else { return highest }
    return limit
  }

  /// The name of the level: "SSE2", "NEON", "AVX2" or "AVX-512".
  package static var currentName: String { String(cString: kernels_level_name(current)) }

  /// Every level that this processor has, the lowest first.
  package static var available: [kernels_level] {
    [KERNELS_PORTABLE, KERNELS_AVX2, KERNELS_AVX512].filter {
      $0.rawValue <= kernels_current_level().rawValue
    }
  }
}
