import Work

/// Stores the reviewer's pairing of two versions' labels for later sessions with the same files.
package struct PairingMemoryJob: Job {
  /// Success, without a message.
  package struct Outcome: Equatable, Sendable {}

  package static let kind = JobKind.memory
  /// The value in B by the value in A; nil removes the stored pairing.
  package var partners: [UInt16: UInt16]?
  /// Whether the reviewer confirmed the pairs; else names and values were kept.
  package var isConfirmed: Bool
  /// The versions' labels.
  package var memory: PairingMemory

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome {
    try environment.services.remember(partners, isConfirmed: isConfirmed, of: memory)
    return Outcome()
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect] { [] }
}
