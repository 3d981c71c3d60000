import Foundation
import Screen
import Work

extension Action {
  /// Verdicts, scores and comments on the case.
  package enum VerdictStep: ActionGroup {
    case give(Verdict), score(Int), comment

    static let bindings: [KeyBinding] =
      [
        KeyTable.bind(.picture, ["y"], .verdict(.give(.accepted)), "accept the version shown", bar: "accept"),
        KeyTable.bind(
          .picture, ["e"], .verdict(.give(.rejected)),
          "reject the version shown, or the case where there is none"),
        KeyTable.bind(
          .picture, ["A"], .verdict(.give(.needsWork)), "the case needs work before a version can be accepted"
        ),
        KeyTable.bind(.picture, ["f"], .verdict(.give(.flagged)), "flag the case for another look"),
        KeyTable.bind(.picture, ["\""], .verdict(.comment), "write a comment on the case"),
      ] + scoring

    private static let scoring: [KeyBinding] = Verdicts.scores.map { score in
      let meaning =
        score == 1 ? " of 5, useless; :score 0 removes it" : score == 5 ? " of 5, perfect" : ""
      return KeyTable.bind(
        .picture, [.character(Character(String(score)))], .verdict(.score(score)), "score \(score)" + meaning)
    }
  }
}

extension ReviewState {
  /// Sets a verdict or a score, or opens the line for a comment.
  mutating func changeVerdict(_ step: Action.VerdictStep) {
    switch step {
    case .give(let kind): giveVerdict(kind)
    case .score(let score): giveScore(score)
    case .comment: dialog = .comment(TextEntry(decisions.verdicts.comment))
    }
  }

  /// Accepts or rejects the version shown, flags the case, or marks it as needing work.
  ///
  /// What was decided already stays, because a key may be pressed twice by accident, or to answer an expected question.
  mutating func giveVerdict(_ kind: Verdict) {
    if kind == .flagged { return flagCase() }
    if kind == .needsWork { return markNeedsWork() }
    guard let shown = shownVersion else {
      if kind == .rejected { return rejectCase() }
      message = Message("no version to accept: open a mask, or run a network (m)", .warning)
      return
    }
    if let live = shownLive, live.whole?.part.labels != shown.labels {
      message = Message("the shown refinement is not a version yet: Enter keeps it as one", .warning)
      return
    }
    let (id, name) = (shown.id, cleaned(shown.name))
    let before = decisions.verdicts
    switch kind {
    case .flagged, .needsWork: break
    case .accepted where before[id] == .accepted:
      message = Message("\(name) is accepted already; z undoes, e rejects it, E exports it")
    case .rejected where before[id] == .rejected:
      message = Message("\(name) is rejected already; \(Self.retractingText)")
    case .accepted:
      decide("accept \(name)") {
        $0.verdicts.accepted = id
        $0.verdicts.rejected.remove(id)
        ($0.verdicts.needsWork, $0.verdicts.isCaseRejected) = (false, false)
      }
      var text = "accepted \(name)"
      if before[id] == .rejected { text += ", no longer rejected" }
      if let other = before.accepted.flatMap({ version($0) }) {
        text += ", instead of \(cleaned(other.name))"
      }
      message = Message(text + "; E exports it")
    case .rejected:
      decide("reject \(name)") {
        $0.verdicts.rejected.insert(id)
        ($0.verdicts.needsWork, $0.verdicts.isCaseRejected) = (false, false)
        if $0.verdicts.accepted == id { $0.verdicts.accepted = nil }
      }
      var text = "rejected \(name)"
      if before.accepted == id { text += "; it is no longer accepted" }
      if before.needsWork { text += "; the case no longer needs work" }
      message = Message(text)
    }
  }

  /// Whether the case, or the version shown, has a verdict.
  func hasVerdict(_ kind: Verdict) -> Bool {
    switch kind {
    case .flagged: decisions.verdicts.isFlagged
    case .needsWork: decisions.verdicts.needsWork
    case .accepted, .rejected:
      shownVersion.map { decisions.verdicts[$0.id] == kind }
        ?? (kind == .rejected && decisions.verdicts.isCaseRejected)
    }
  }

  /// Keys that take a verdict back.
  static let retractingText = "z undoes, :retract verdict takes it back"

  /// Flags the case, with or without versions.
  private mutating func flagCase() {
    guard !decisions.verdicts.isFlagged else {
      message = Message("the case is flagged already; z undoes, :retract flag takes it back")
      return
    }
    decide("flag the case") { $0.verdicts.isFlagged = true }
    message = Message("flagged the case")
  }

  /// Marks the case as needing a correction before a version can be accepted.
  private mutating func markNeedsWork() {
    guard !decisions.verdicts.needsWork else {
      message = Message("the case needs work already; \(Self.retractingText)")
      return
    }
    let before = decisions.verdicts
    decide("needs work") {
      $0.verdicts.needsWork = true
      ($0.verdicts.accepted, $0.verdicts.rejected, $0.verdicts.isCaseRejected) = (nil, [], false)
    }
    var text = "the case needs work"
    if let accepted = before.accepted.flatMap({ version($0) }) {
      text += "; \(cleaned(accepted.name)) is no longer accepted"
    }
    if !before.rejected.isEmpty || before.isCaseRejected { text += "; nothing is rejected any more" }
    message = Message(text)
  }

  /// Rejects a case without versions.
  private mutating func rejectCase() {
    guard !decisions.verdicts.isCaseRejected else {
      message = Message("the case is rejected already; \(Self.retractingText)")
      return
    }
    decide("reject the case") {
      $0.verdicts.isCaseRejected = true
      $0.verdicts.needsWork = false
    }
    message = Message("rejected the case: it has no version to accept")
  }

  /// Takes back every verdict on the case and its versions, or the flag.
  mutating func retract(_ kind: Retraction) {
    switch kind {
    case .flag:
      let wasFlagged = decisions.verdicts.isFlagged
      decide("take back the flag") { $0.verdicts.isFlagged = false }
      message = Message(wasFlagged ? "the case is no longer flagged" : "the case is not flagged")
    case .verdict:
      let hadVerdict = decisions.verdicts.hasVerdict || acceptedElsewhere != nil
      decide("take back the verdict") {
        ($0.verdicts.accepted, $0.verdicts.rejected) = (nil, [])
        ($0.verdicts.isCaseRejected, $0.verdicts.needsWork) = (false, false)
      }
      acceptedElsewhere = nil
      message = Message(hadVerdict ? "the case has no verdict any more" : "the case has no verdict")
    }
  }

  /// Sets the score; 0 removes it.
  mutating func giveScore(_ score: Int) {
    guard decisions.verdicts.score != score else {
      message = Message("score \(score) of 5 already; :score 0 removes it")
      return
    }
    let isRemoved = score == 0
    decide(isRemoved ? "take back the score" : "score \(score)") {
      $0.verdicts.score = isRemoved ? nil : score
    }
    message = Message(isRemoved ? "no score" : "score \(score) of 5")
  }

  /// Sets the comment, which replaces an earlier one; an empty text removes it.
  mutating func comment(_ text: String) {
    let text = cleaned(text).trimmingCharacters(in: .whitespaces)
    guard text != decisions.verdicts.comment else { return }
    decide(text.isEmpty ? "take back the comment" : "comment") { $0.verdicts.comment = text }
    message = Message(text.isEmpty ? "no comment" : "comment kept")
  }

  /// Adds a tag to the case.
  mutating func tag(_ tag: String) {
    let tag = cleaned(tag)
    decide("tag \(tag)") { if !$0.verdicts.tags.contains(tag) { $0.verdicts.tags.append(tag) } }
    message = Message("tags: " + decisions.verdicts.tags.joined(separator: ", "))
  }

  /// Removes a tag of the case.
  mutating func untag(_ tag: String) {
    let tags = decisions.verdicts.tags
    guard tags.contains(tag) else {
      message = Message(
        "no tag \"\(cleaned(tag))\"" + (tags.isEmpty ? "" : "; tags: " + tags.joined(separator: ", ")), .error
      )
      return
    }
    decide("untag \(tag)") { $0.verdicts.tags.removeAll { $0 == tag } }
    message = Message(
      tags.count == 1 ? "no tags" : "tags: " + decisions.verdicts.tags.joined(separator: ", "))
  }
}
