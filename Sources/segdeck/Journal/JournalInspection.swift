import Foundation
import ImageFormats
import Journal
import Review
import Volumes
import Work

/// A journal that is read outside a review, for `segdeck journal`.
package final class JournalInspection {
  let item: JournalFolder.Item
  let file: JournalFile
  let reading: JournalReading
  /// Versions that cannot be shown or exported; computed from all voxels.
  private(set) lazy var damaged = reading.damagedVersions(in: file)

  /// - Throws: ``InputError`` when the file cannot be read or belongs to a newer program.
  package init(_ item: JournalFolder.Item) throws(InputError) {
    self.item = item
    let (file, contents) = try JournalFile.openForReading(item.path)
    self.file = file
    reading = JournalReading(contents, of: file)
  }

  private func name(_ id: VersionID) -> String {
    reading.note(of: id)?.name ?? "a version that is lost"
  }

  /// The verdicts and the damage, "accepted CRF 1, exported; flagged"; "-" for none.
  /// - Parameter checksVoxels: Whether all voxels are checked for damage, or only those of the accepted version.
  package func verdictText(checksVoxels: Bool) -> String {
    let verdicts = reading.verdicts
    var facts: [String] = []
    if let accepted = verdicts.accepted {
      if let note = reading.note(of: accepted) {
        facts.append(
          reading.isWhole(accepted, in: file)
            ? "accepted \(note.name)" + (reading.exported[accepted] == nil ? "" : ", exported")
            : "the accepted \(note.name) is damaged")
      } else {
        facts.append("the accepted version is lost")
      }
    }
    facts += verdicts.rejected.sorted().map { "rejected \(name($0))" }
    if verdicts.isCaseRejected { facts.append("rejected") }
    if verdicts.needsWork { facts.append("needs work") }
    if let score = verdicts.score { facts.append("score \(score)") }
    if verdicts.isFlagged { facts.append("flagged") }
    if reading.unreportedLostCount > 0 || reading.isLastDecisionLost || !reading.damage.isEmpty
      || checksVoxels && !damaged.isEmpty
    {
      facts.append("damaged")
    }
    return facts.isEmpty ? "-" : facts.joined(separator: "; ")
  }

  /// A line for each kind of damage, and for each copy from before damage was truncated.
  var damageLines: [String] {
    var lines = reading.damage
    if reading.lostCount > 0 { lines.append("\(counted(reading.lostCount, "record")) cannot be read") }
    let names = reading.versions.map(\.note).filter { damaged.contains($0.id) }.map(\.name)
    if !names.isEmpty { lines.append("the voxels of \(names.joined(separator: ", "))") }
    return lines + item.copies.map { "kept as it was: \($0)" }
  }

  /// The names of all versions, damaged ones marked.
  private var versionNames: String {
    reading.versions.map(\.note).map { $0.name + (damaged.contains($0.id) ? " (damaged)" : "") }
      .joined(separator: ", ")
  }

  /// The description of a line; nil for a line about the view.
  ///
  /// - Parameter presentStep: In: the step before the line. Out: the step after it.
  func text(_ line: JournalLine, presentStep: inout Int?) -> String? {
    if let opened = line.opened { return "opened \(opened.imageText) with \(opened.program)" }
    if let version = line.version {
      let origin =
        switch version.origin {
        case .mask(let path): "from \(path)"
        case .network(let modelID, _): "network \(modelID)"
        case .refinement(let base, _, _): "the CRF on \(name(base))"
        case .edit(let base): "\(name(base)), changed by hand"
        }
      return "version \(version.name): \(origin)" + (damaged.contains(version.id) ? " (damaged)" : "")
    }
    if let labels = line.labels { return "labels of \(name(labels.version)) named" }
    if let decided = line.decided {
      presentStep = decided.number
      let edited = decided.changes.map { name($0.version) }
      return decided.step + (edited.isEmpty ? "" : " in " + edited.joined(separator: ", "))
    }
    if let position = line.position {
      defer { presentStep = position.number }
      guard presentStep != position.number else { return nil }
      return reading.lines.last { $0.decided?.number == position.number }?.decided.map {
        "went to: \($0.step)"
      }
    }
    if let exported = line.exported {
      return exported.path.map { "exported \(name(exported.version)) to \($0)" }
    }
    return nil
  }

  /// The journal without voxels as JSON.
  func json() throws(InputError) -> Data {
    struct Whole: Encodable {
      var digest: String
      var opened: JournalLine.Opening?
      var versions: [JournalLine.VersionNote]
      var decisions: Decisions?
      var exported: [JournalLine.Export]
      var view: ViewState?
      var events: [JournalLine]
    }
    let whole = Whole(
      digest: item.digest, opened: reading.opening, versions: reading.versions.map(\.note),
      decisions: reading.decisions,
      exported: reading.exported.sorted { $0.key < $1.key }.map {
        JournalLine.Export(version: $0.key, path: $0.value)
      }, view: reading.view, events: reading.lines)
    return anyJSON(whole, isIndented: true)
  }

  /// The version with a name; the accepted one for nil.
  /// - Throws: ``InputError`` when there is none.
  func version(named name: String?) throws(InputError) -> JournalLine.VersionNote {
    let notes = reading.versions.map(\.note)
    guard let name else {
      guard let accepted = notes.first(where: { $0.id == reading.verdicts.accepted }) else {
        throw InputError(
          reading.opening?.caseName ?? item.digest, "has no accepted version",
          expected: notes.isEmpty ? nil : "--version with one of " + versionNames)
      }
      return accepted
    }
    guard let found = notes.last(where: { $0.name == name }) else {
      throw InputError(
        "--version \(name)", notes.isEmpty ? "the journal has no version" : "no such version",
        expected: notes.isEmpty ? nil : versionNames)
    }
    return found
  }

  /// Exports a version with its record as a review does.
  /// - Throws: ``InputError`` when the version is damaged or a file cannot be written; ``Cancelled``.
  func export(_ note: JournalLine.VersionNote, to path: String, isForced: Bool) throws {
    guard let opening = reading.opening else {
      throw InputError(item.path, "does not say on which grid it lies")
    }
    let outputPath = try OutputPath(
      path, kind: .image, isForced: isForced, companions: MaskRecord.companions(ofMask: path))
    let notes = Dictionary(reading.versions.map { ($0.note.id, $0.note) }) { first, _ in first }
    // The number of edited voxels is counted against the version that was copied.
    let known = reading.presentLabels(of: note.id, on: opening.grid, in: file)
    guard let labels = known[note.id], !damaged.contains(note.id) else {
      throw InputError(item.path, "the voxels of \(note.name) are damaged")
    }
    if !reading.damage.isEmpty {
      Console.note(
        "\(item.path): \(reading.damage.joined(separator: ", ")); what came later is not in the mask")
    }
    if reading.isLastDecisionLost {
      Console.note("\(item.path): the last decision is lost; it may have undone edits")
    }
    try reading.noteSources()
    let work = WorkContext(cancellation: Interruption.cancellation())
    // Two copies besides the chunks: the whole volume, and the volume in the order of the file.
    try LabelVolume.requireMemory(on: opening.grid.size, volumes: 2, subject: note.name)
    let image = try sameImage(opening, work)
    let (steps, first) = Provenance.steps(to: note.id) {
      notes[$0]?.origin
    } changedVoxels: { version, base in
      guard let own = known[version], let base = known[base] else { return 0 }
      return own.differingVoxelCount(from: base)
    }
    let origin = first.flatMap { notes[$0] }
    let provenance = Provenance(
      steps: steps, firstVersion: first, versionName: note.name,
      verdict: reading.verdicts[note.id]?.rawValue, isCaseFlagged: reading.verdicts.isFlagged,
      frame: note.frame ?? 0, merged: origin?.merged ?? [])
    let request = ExportRequest(
      labels: labels, table: note.shown ?? note.labels, imagePath: opening.image, path: path,
      replacesExisting: isForced,
      provenance: provenance)
    let input =
      try image?.recorded(work)
      ?? opening.imageFile.comparedWithDisk(work)
    let written = try ReviewExport(
      request: request, input: input, source: origin?.source(work), reader: opening.reader
    )
    .write(on: image?.image.source ?? ImageSource(grid: opening.grid), to: outputPath, work)
    if image != nil { written.record.noteChanges() }
  }

  /// The image, if its content is that of the journal; otherwise a note is printed and the result is nil.
  /// - Throws: ``Cancelled``; ``InputError`` when libcrypto fails.
  private func sameImage(_ opening: JournalLine.Opening, _ work: WorkContext) throws -> OpenedImage? {
    let image: OpenedImage
    let volume: ScalarVolume
    do {
      image = try OpenedImage(opening.image, options: ImageReadingOptions(series: opening.series), work: work)
      volume = try image.image.scalarVolume(frame: opening.frame ?? 0, work: work)
    } catch let error as InputError {
      Console.note(
        "\(error); whether it is the image that was reviewed is not known, and the mask gets the grid of the journal"
      )
      return nil
    }
    guard try ContentDigest.sha256(of: volume, work) == item.digest else {
      Console.note(
        "\(opening.image): no longer the image that was reviewed; the mask gets the grid of the journal")
      return nil
    }
    return image
  }
}
