import Foundation
import Work

/// A record of a reader about a case: what happened, and everything that the reader decided about the case so far.
///
/// A lost record therefore affects nothing that was recorded later.
package struct CaseRecord: Equatable, Sendable {
  /// The kind of event; `added` is of a case that the worklist does not list.
  package enum Kind: String, Equatable, Sendable { case added, opened, decided, closed }

  /// 1 more than the largest number that the writer knew, so that the order of records does not depend on clocks (a
  /// Lamport clock).
  package var sequence: Int
  /// The time in UTC: "2026-11-29T16:00:00.000Z".
  package var time: String
  /// The reader of the case, and the machine.
  package var reader, host: String
  /// The case's name in the worklist.
  package var caseName: String
  /// The image as the worklist names it; that of an added case by its absolute path.
  package var image: String
  /// The choice of one of several series in the image's file or folder; nil for none.
  package var series: String?
  /// The kind of event.
  package var kind: Kind
  /// The reader's decision about the case, all of it.
  package var decision: CaseDecision

  package init(
    sequence: Int, time: String, reader: String, host: String, caseName: String, image: String,
    series: String? = nil, kind: Kind, decision: CaseDecision
  ) {
    self.sequence = sequence
    self.time = time
    self.reader = reader
    self.host = host
    self.caseName = caseName
    self.image = image
    self.series = series
    self.kind = kind
    self.decision = decision
  }

  /// The time in seconds since 1970; nil where ``time`` is not written as ``time(_:)`` writes it.
  package var secondsSince1970: Double? {
    let fields = time.split { !$0.isASCII || !$0.isNumber }.compactMap { Int32($0) }
    guard fields.count == 7, time.utf8.count == 24 else { return nil }
    var parts = tm()
    (parts.tm_year, parts.tm_mon, parts.tm_mday) = (fields[0] - 1900, fields[1] - 1, fields[2])
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (fields[3], fields[4], fields[5])
    return Double(timegm(&parts)) + Double(fields[6]) / 1000
  }

  /// The largest sequence number; a larger one is damage.
  static let maximumSequence = 1 << 53

  /// A time as records hold it.
  package static func time(_ date: Date) -> String {
    let milliseconds = Int(saturating: (date.timeIntervalSince1970 * 1000).rounded(.down))
    let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
    var (clock, parts) = (time_t(seconds), tm())
    gmtime_r(&clock, &parts)
    return String(
      format: "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", Int(parts.tm_year) + 1900, parts.tm_mon + 1,
      parts.tm_mday,
      parts.tm_hour, parts.tm_min, parts.tm_sec, max(0, rest))
  }
}

// Written and read by hand: Foundation's coders need four times as long, and ten thousand records are read at once.
extension CaseRecord {
  /// The record as JSON on one line.
  package var json: Data {
    var members: [(String, JSONText)] = [
      ("sequence", .number("\(sequence)")), ("time", .string(time)), ("reader", .string(reader)),
      ("host", .string(host)), ("case", .string(caseName)), ("image", .string(image)),
      ("event", .string(kind.rawValue)),
    ]
    if let series { members.append(("series", .string(series))) }
    if let verdict = decision.verdict { members.append(("verdict", .string(verdict.rawValue))) }
    if decision.isFlagged { members.append(("flagged", .number("true"))) }
    if let score = decision.score { members.append(("score", .number("\(score)"))) }
    if !decision.comment.isEmpty { members.append(("comment", .string(decision.comment))) }
    if !decision.tags.isEmpty { members.append(("tags", .array(decision.tags.map { .string($0) }))) }
    if decision.seconds.isFinite, decision.seconds > 0 {
      members.append(("seconds", .number(decimals(decision.seconds, 3))))
    }
    if let version = decision.version {
      members.append(("version", .string(version.name)))
      if let path = version.exportedPath { members.append(("exported", .string(path))) }
      if let fingerprint = version.fingerprint { members.append(("fingerprint", .string(fingerprint))) }
    }
    if !decision.pairings.isEmpty { members.append(("pairings", .array(decision.pairings.map(\.json)))) }
    return Data(JSONText.object(members).text.utf8)
  }

  /// Reads a record; nil where the text is not a record.
  package init?(json: Data) {
    guard let text = String(validating: json, as: UTF8.self), case .object(let members)? = JSONValue(text)
    else {
      return nil
    }
    self.init(
      sequence: 0, time: "", reader: "", host: "", caseName: "", image: "", kind: .decided,
      decision: CaseDecision())
    var (isOrdered, isEvent) = (false, false)
    var (version, exported, fingerprint): (String?, String?, String?) = (nil, nil, nil)
    for member in members {
      switch (member.key, member.value) {
      case ("sequence", .number(let digits)):
        guard let number = Int(digits), (1...Self.maximumSequence).contains(number) else { return nil }
        (sequence, isOrdered) = (number, true)
      case ("time", .string(let text)): time = text
      case ("reader", .string(let text)): reader = text
      case ("host", .string(let text)): host = text
      case ("case", .string(let text)): caseName = text
      case ("image", .string(let text)): image = text
      case ("series", .string(let text)): series = text
      case ("event", .string(let text)):
        guard let kind = Kind(rawValue: text) else { return nil }
        (self.kind, isEvent) = (kind, true)
      case ("verdict", .string(let text)):
        guard let verdict = CaseDecision.Verdict(rawValue: text) else { return nil }
        decision.verdict = verdict
      case ("flagged", .bool(let flag)): decision.isFlagged = flag
      case ("score", .number(let digits)):
        guard let score = Int(digits), CaseDecision.scores.contains(score) else { return nil }
        decision.score = score
      case ("comment", .string(let text)): decision.comment = text
      case ("tags", .array(let items)):
        decision.tags = items.compactMap { if case .string(let tag) = $0 { tag } else { nil } }
      case ("seconds", .number(let digits)):
        decision.seconds = Double(digits).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil } ?? 0
      case ("version", .string(let text)): version = text
      case ("exported", .string(let text)): exported = text
      case ("fingerprint", .string(let text)): fingerprint = text
      case ("pairings", .array(let items)): decision.pairings = items.compactMap(MaskPairing.init(json:))
      default: break  // Later programs may add members.
      }
    }
    guard isOrdered, isEvent, !reader.isEmpty, !caseName.isEmpty else { return nil }
    decision.version = version.map {
      CaseDecision.Version(name: $0, exportedPath: exported, fingerprint: fingerprint)
    }
  }
}
