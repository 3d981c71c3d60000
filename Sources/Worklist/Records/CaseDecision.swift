/// One reader's decisions about a case so far.
package struct CaseDecision: Equatable, Sendable {
  /// A verdict about a case.
  package enum Verdict: String, Equatable, Sendable, CaseIterable {
    case accepted, rejected
    case needsWork = "needs work"
  }

  /// The mask that was accepted.
  package struct Version: Equatable, Sendable {
    /// The version's name in the review.
    package var name: String
    /// The file that it was exported to; nil where it was not.
    package var exportedPath: String?

    package init(name: String, exportedPath: String? = nil) {
      self.name = name
      self.exportedPath = exportedPath
    }
  }

  /// The verdict; nil where there is none, or it was withdrawn.
  package var verdict: Verdict?
  /// Whether the case is marked for another look, beside any verdict.
  package var isFlagged: Bool
  /// A score of ``scores``; nil for none.
  package var score: Int?
  /// The reader's comment; empty for none.
  package var comment: String
  /// Words that the reader gave the case.
  package var tags: [String]
  /// The time that the reader spent on the case, in seconds.
  package var seconds: Double
  /// The accepted version; nil where none is accepted.
  package var version: Version?

  /// The scores that there are.
  package static let scores = 1...5

  /// No decision, unless given.
  package init(
    verdict: Verdict? = nil, isFlagged: Bool = false, score: Int? = nil, comment: String = "",
    tags: [String] = [],
    seconds: Double = 0, version: Version? = nil
  ) {
    self.verdict = verdict
    self.isFlagged = isFlagged
    self.score = score
    self.comment = comment
    self.tags = tags
    self.seconds = seconds
    self.version = version
  }

  /// Whether there is a verdict, a flag or a score.
  package var isDecided: Bool { verdict != nil || isFlagged || score != nil }
}
