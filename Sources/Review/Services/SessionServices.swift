import Worklist

/// The dependencies of a session of a worklist: services of each case, and the worklist's records.
///
/// The executable implements it. No call waits for a disk but ``finish()``.
package protocol SessionServices: Sendable {
  /// The services of a case that is about to be opened; of its own, because they hold the files of the case.
  func services(of id: CaseID) -> any ReviewServices

  /// Begins to look for records of other readers and to measure the cases; `deliver` gets ``SessionEvent/reviews(_:)``,
  /// ``SessionEvent/measured(_:)`` and ``SessionEvent/recordsFailed(_:)`` from any thread.
  func begin(_ deliver: @escaping @Sendable (SessionEvent) -> Void)

  /// Appends a record; what cannot be written is kept and tried again.
  func record(_ kind: CaseRecord.Kind, _ id: CaseID, _ decision: CaseDecision)

  /// Writes what is waiting now.
  /// - Returns: the line that says why it could not be written; nil when it was.
  func finish() -> String?
}

/// The services of one case without a worklist.
struct SingleCaseServices: SessionServices {
  let services: any ReviewServices

  func services(of id: CaseID) -> any ReviewServices { services }
  func begin(_ deliver: @escaping @Sendable (SessionEvent) -> Void) {}
  func record(_ kind: CaseRecord.Kind, _ id: CaseID, _ decision: CaseDecision) {}
  func finish() -> String? { nil }
}
