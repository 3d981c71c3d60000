/// A kind of verdict.
package enum Verdict: String, Equatable, Sendable { case accepted, rejected, flagged }

/// The decisions about a case and its versions.
///
/// They are independent of each other.
package struct Verdicts: Equatable, Sendable {
  /// The version that is to be exported; one at most.
  package var accepted: VersionID?
  /// Versions that were refused; the accepted one is never among them.
  package var rejected: Set<VersionID> = []
  /// Whether the case is marked for another look.
  package var isFlagged = false

  /// No verdict, unless given.
  package init(accepted: VersionID? = nil, rejected: Set<VersionID> = [], isFlagged: Bool = false) {
    self.accepted = accepted
    self.rejected = rejected
    self.isFlagged = isFlagged
  }

  /// Withdraws an acceptance of one of these versions.
  package mutating func withdrawAcceptance(of versions: Set<VersionID>) {
    if let id = accepted, versions.contains(id) { accepted = nil }
  }

  /// Whether a version was accepted or rejected; nil for neither.
  package subscript(version: VersionID) -> Verdict? {
    accepted == version ? .accepted : rejected.contains(version) ? .rejected : nil
  }
}
