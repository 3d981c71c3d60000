import Work

/// Keeps what the reviewer said of two versions' labels, for the same files another time.
package struct PairingMemoryJob: Job {
  /// Kept; there is nothing to say about it.
  package struct Outcome: Equatable, Sendable {}

  package static let kind = JobKind.memory
  /// A's values and B's that go with them; nil forgets what was kept.
  package var partners: [UInt16: UInt16]?
  /// The versions' labels.
  package var memory: PairingMemory

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> Outcome {
    try environment.services.remember(partners, of: memory)
    return Outcome()
  }

  package func reduce(_ state: inout ReviewState, _ outcome: Outcome) -> [ReviewEffect] { [] }
}
