import Worklist

/// The dependencies of a session of a worklist: services of each case, and the worklist's records.
///
/// The executable implements it. Only ``finish()`` waits for a disk.
package protocol SessionServices: Sendable {
  /// New services for a case that is about to be opened; they hold the files of that case.
  func services(of id: CaseID) -> any ReviewServices

  /// Starts reading records of other processes and measuring the cases; `deliver` gets ``SessionEvent/reviews(_:)``,
  /// ``SessionEvent/decidedElsewhere(_:)``, ``SessionEvent/measured(_:)``, ``SessionEvent/uncertainties(_:)``, ``SessionEvent/noted(_:)`` and
  /// ``SessionEvent/recordsFailed(_:)`` from any thread.
  func begin(_ deliver: @escaping @Sendable (SessionEvent) -> Void)

  /// Adds a case at the end of the worklist.
  func add(_ entry: WorklistCase)

  /// Appends a record; a record that cannot be written is queued and retried.
  func record(_ kind: CaseRecord.Kind, _ id: CaseID, _ decision: CaseDecision)

  /// Keeps for later sessions and for lists of the cases how uncertain a network was that ran on the image of a case.
  func keep(_ uncertainties: [LabelUncertainty], ofRunOn id: CaseID)

  /// Writes all queued entries.
  /// - Returns: The reason why they could not be written, in one line; nil on success.
  func finish() -> String?
}

/// The services of a review without a worklist.
struct SingleCaseServices: SessionServices {
  /// Makes the services of a case.
  let make: @Sendable () -> any ReviewServices

  func services(of id: CaseID) -> any ReviewServices { make() }
  func add(_ entry: WorklistCase) {}
  func begin(_ deliver: @escaping @Sendable (SessionEvent) -> Void) {}
  func record(_ kind: CaseRecord.Kind, _ id: CaseID, _ decision: CaseDecision) {}
  func keep(_ uncertainties: [LabelUncertainty], ofRunOn id: CaseID) {}
  func finish() -> String? { nil }
}
