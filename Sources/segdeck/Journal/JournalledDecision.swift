import Journal
import Review
import Volumes
import Work
import Worklist

extension CaseDecision {
  /// This decision of a journal with what only a record of the same reader has: the time spent, and pairings of masks
  /// that the case does not have.
  /// - Parameter masks: The names of the case's masks.
  package func completed(by record: CaseDecision, masks: Set<String>) -> CaseDecision {
    var completed = self
    completed.seconds = max(seconds, record.seconds)
    completed.pairings += record.pairings.filter {
      !(masks.contains($0.first.mask) && masks.contains($0.second.mask))
    }
    return completed
  }
}

/// What a reader decided about a case of a worklist according to the case's journal.
package struct JournalledDecision {
  /// The decision, as a worklist's records have it, without the time spent.
  package var decision: CaseDecision
  /// When it was made, in seconds since 1970.
  package var seconds: Double

  /// The decisions of a reader in the journals of a worklist on this machine, by the name of the case.
  ///
  /// Journals that a review has open are left out: it records what they hold. So are damaged ones, whose losses are
  /// reported when their case is opened, and those of programs that did not name the worklist in them.
  ///
  /// - Parameters:
  ///   - records: The folder of the worklist's records.
  ///   - cases: The cases of the worklist.
  ///   - isWanted: Whether a decision of this time about a case is needed; others are not read.
  /// - Complexity: O(journals) files, of which those that are wanted are read.
  package static func all(
    ofReader reader: String, records: String, cases: [WorklistCase],
    in folder: JournalFolder = JournalFolder(),
    cancellation: Cancellation, isWanted: (_ caseName: String, _ seconds: Double) -> Bool
  ) -> [String: JournalledDecision] {
    let items = Dictionary(cases.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let ofImages = Dictionary(grouping: cases) { item in
      FilePath.absolute(item.images[0]) + (item.series.map { ", series \($0)" } ?? "")
    }
    var found: [String: JournalledDecision] = [:]
    for journal in folder.items() {
      if cancellation.isRequested { break }
      guard !JournalFile.isInUse(journal.path),
        let (file, contents) = try? JournalFile.openForReading(journal.path),
        let opened = contents.entries.lazy.compactMap(\.text).compactMap(JournalLine.init).first?.opened,
        (opened.worklist, opened.reader) == (records, reader),
        let named = items[opened.caseName]
      else { continue }
      // Another image may have this name now that was that of an image which a reader added.
      let ofImage = ofImages[opened.imageText] ?? []
      let item = ofImage.contains(named) ? named : ofImage.first ?? named
      let reading = JournalReading(contents, of: file)
      guard let seconds = reading.decisionSeconds, isWanted(item.name, seconds),
        seconds > found[item.name]?.seconds ?? -.infinity,
        let decision = Self.decision(in: reading, file, of: item)
      else { continue }
      found[item.name] = JournalledDecision(decision: decision, seconds: seconds)
    }
    return found
  }

  /// The decision that counts in a journal; nil where there is none, or a part of the journal is lost.
  private static func decision(
    in reading: JournalReading, _ file: JournalFile, of item: WorklistCase
  ) -> CaseDecision? {
    guard let decisions = reading.decisions, reading.lostCount == 0, !reading.isLastDecisionLost else {
      return nil
    }
    var version: CaseDecision.Version?
    if let accepted = decisions.verdicts.accepted {
      guard let fingerprint = Self.fingerprint(of: accepted, in: reading, file),
        let note = reading.note(of: accepted)
      else { return nil }
      version = CaseDecision.Version(
        name: note.name, exportedPath: reading.exported[accepted],
        // As in the records, a mask whose labels were joined on reading has none.
        fingerprint: note.merged?.isEmpty == false ? nil : fingerprint)
    }
    return CaseDecision(
      decisions.verdicts, accepted: version, seconds: 0, pairings: pairings(decisions, in: reading, of: item))
  }

  /// The fingerprint of a version's labels; nil where they are damaged.
  private static func fingerprint(
    of id: VersionID, in reading: JournalReading, _ file: JournalFile
  ) -> String? {
    guard let grid = reading.opening?.grid, let note = reading.note(of: id), reading.isWhole(id, in: file),
      let labels = reading.presentLabels(of: id, on: grid, in: file)[id],
      let components = try? LabelComponents(labels, work: WorkContext(threadCount: 1))
    else { return nil }
    return Version(
      id: id, name: note.name, origin: note.origin, labels: labels, table: note.labels, components: components
    ).fingerprint
  }

  /// The pairings of labels of masks that were read.
  private static func pairings(
    _ decisions: Decisions, in reading: JournalReading, of item: WorklistCase
  ) -> [MaskPairing] {
    let names = Dictionary(item.masks.map { ($0.path, $0.name) }, uniquingKeysWith: { first, _ in first })
    /// A mask as its file has it: later notes have the names that the reader gave.
    func source(_ id: VersionID) -> PairingMemory.Source? {
      guard let note = reading.lines.lazy.compactMap(\.version).first(where: { $0.id == id }),
        case .mask(let path) = note.origin
      else { return nil }
      return PairingMemory.Source(
        name: path, versionName: names[path] ?? note.name, labels: note.labels.labels,
        coding: note.coding ?? .identity)
    }
    return decisions.pairings.compactMap { pairing in
      guard let older = source(pairing.older), let newer = source(pairing.newer) else { return nil }
      return PairingMemory(a: older, b: newer)
        .recordedPairing(pairing.partners(from: pairing.older), isConfirmed: pairing.isConfirmed)
    }
  }
}
