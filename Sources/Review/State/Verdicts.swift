package enum Verdict: String, Equatable, Sendable {
  case accepted, rejected, flagged
  case needsWork = "needs work"
}

/// What ":retract" takes back.
package enum Retraction: String, Equatable, Sendable, CaseIterable {
  case verdict, flag
}

/// The decisions about a case and its versions.
///
/// They are independent of each other.
package struct Verdicts: Equatable, Sendable {
  /// The version that is to be exported; one at most.
  package var accepted: VersionID?
  /// Versions that were refused; the accepted one is never among them.
  package var rejected: Set<VersionID> = []
  /// Whether the case was rejected because it has no version that could be accepted; never beside another verdict.
  package var isCaseRejected = false
  /// Whether the case is marked for another look.
  package var isFlagged = false
  /// Whether a version has to be corrected before one can be accepted.
  ///
  /// It excludes acceptance and rejections: whichever is given later removes the other.
  package var needsWork = false
  /// The quality of the segmentation, from 1 (useless) to 5 (perfect); nil where none was given.
  package var score: Int?
  /// The reviewer's comment on the case, without control characters.
  package var comment = ""
  /// Words that group cases, in the order in which they were given, none twice.
  package var tags: [String] = []

  /// Scores that can be given.
  package static let scores = 1...5

  /// No verdict, unless given.
  package init(
    accepted: VersionID? = nil, rejected: Set<VersionID> = [], isCaseRejected: Bool = false,
    isFlagged: Bool = false, needsWork: Bool = false, score: Int? = nil, comment: String = "",
    tags: [String] = []
  ) {
    self.accepted = accepted
    self.rejected = rejected
    self.isCaseRejected = isCaseRejected
    self.isFlagged = isFlagged
    self.needsWork = needsWork
    self.score = score
    self.comment = comment
    self.tags = tags
  }

  /// Whether a version or the case was accepted or rejected, or needs work.
  var hasVerdict: Bool { accepted != nil || !rejected.isEmpty || isCaseRejected || needsWork }

  /// Withdraws an acceptance of one of these versions.
  package mutating func withdrawAcceptance(of versions: Set<VersionID>) {
    if let id = accepted, versions.contains(id) { accepted = nil }
  }

  /// Removes restored verdicts that cannot stand beside the `own` ones of this session, which are later.
  mutating func settle(own: Verdicts) {
    if needsWork, own.needsWork {
      (accepted, rejected, isCaseRejected) = (nil, [], false)
    } else if needsWork, own.accepted != nil || !own.rejected.isEmpty || own.isCaseRejected {
      needsWork = false
    }
    if isCaseRejected, accepted != nil || !rejected.isEmpty {
      if own.isCaseRejected { (accepted, rejected) = (nil, []) } else { isCaseRejected = false }
    }
  }

  /// Whether a version was accepted or rejected; nil for neither.
  package subscript(version: VersionID) -> Verdict? {
    accepted == version ? .accepted : rejected.contains(version) ? .rejected : nil
  }
}
