import Foundation
import ImageFormats
import TestSupport
import Testing

extension JournalTests {
  /// Opens a case, carries `work` out on it, and leaves it without exporting.
  private func review(
    _ command: String, in session: TmuxSession, _ work: () throws -> Void
  ) throws {
    try session.enter("reset; \(command)")
    try session.waitFor("Axial", seconds: 60)
    try work()
    try session.press("q")
    try session.waitFor("was not exported")
    try session.press("y")
    try session.waitFor("ready>")
  }

  @Test("damage is reported by list, show, export and on opening; the remaining records are shown")
  func damage() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 140, rows: 40, environment: environment)
    let command = tiny.review
    let withMask = command + " --mask \(folder("labels.nii.gz"))"
    try review(withMask, in: session) {
      try session.press("t", "Enter")
      try session.waitFor("CRF 1 is shown", seconds: 60)
      try session.press("q", "y")
      try session.waitFor("accepted CRF 1")
    }
    let journal = try StoredJournal(below: folder("state"))
    #expect(journal.withVoxels.count == 2)
    let (mask, refined) = (journal.withVoxels[0], journal.withVoxels[1])
    func run(_ words: String...) throws -> CommandOutcome {
      try segdeck(["journal"] + words, in: folder.path, environment: environment)
    }
    func opened(_ text: String) throws -> String {
      try session.enter("reset; \(command)")
      let shown = try session.waitFor(text, seconds: 60)
      try session.press("q")
      try session.waitUntil("is left") { $0.contains("was not exported") || $0.contains("ready>") }
      if try session.screen().contains("was not exported") { try session.press("y") }
      try session.waitFor("ready>")
      return shown
    }

    // A text, which is there twice.
    for position in [refined.start + 30, refined.end - 5] {
      try journal.damage(at: position)
      #expect(!(try run("show", "ct").output.contains("damaged")))
      #expect(try run("list").output.contains("accepted CRF 1 "))
    }
    // Both.
    try journal.damage(at: refined.start + 30, refined.end - 5)
    #expect(try run("show", "ct").output.contains("damaged   1 record cannot be read\n"))
    #expect(try run("list").output.contains(" damaged "))
    #expect(try opened("lost").contains("the version that was accepted is lost"))
    // Told once.
    #expect(!(try opened("restored").contains("damaged")))
    #expect(!(try run("list").output.contains(" damaged ")))

    // The voxels of the CRF.
    try journal.damage(at: refined.voxelStart)
    let shown = try run("show", "ct").output
    #expect(shown.contains("damaged   the voxels of CRF 1\n"))
    #expect(shown.contains("version CRF 1: the CRF on labels.nii.gz (damaged)\n"))
    #expect(try run("export", "ct", "-o", "a.nii.gz").errors.contains("the voxels of CRF 1 are damaged"))
    #expect(
      try run("export", "ct", "--version", "none", "-o", "a.nii.gz").errors.contains(
        "expected labels.nii.gz, CRF 1 (damaged)"))
    let left = try opened("damaged")
    #expect(left.contains("CRF 1 is damaged") && left.contains("A labels.nii.gz"))

    // The voxels of the mask, which is opened again, and from then on is in the journal once more.
    try journal.damage(at: mask.voxelStart)
    try review(withMask, in: session) {
      let known = try session.waitFor("restored 1 version from", seconds: 60)
      #expect(!known.contains("damaged") && known.contains("accepted: CRF 1"))
    }
    #expect(!(try run("show", "ct").output.contains("damaged")))
    #expect(try opened("restored 2 versions from").contains("accepted: CRF 1"))

    // A header: all after it is lost, and kept beside.
    try journal.damage(at: refined.start + 2)
    let count = journal.whole.count - refined.start
    #expect(try run("show", "ct").output.contains("damaged   \(count) bytes after "))
    #expect(try run("list").output.contains(" damaged "))
    let noted = try run("export", "ct", "--version", "labels.nii.gz", "-o", "a.nii.gz", "--force")
    #expect(noted.status == 0 && noted.errors.contains("\(count) bytes after "))
    #expect(noted.errors.contains("what came later is not in the mask"))
    let cut = try opened("were kept as")
    #expect(cut.contains("journal: \(count) bytes after "))
    #expect(try run("show", "ct").output.contains("kept as it was: \(journal.path).damaged\n"))

    // A missing or truncated end is reported, and so is an empty file.
    try journal.cut(at: journal.whole.count - 7)
    #expect(try run("show", "ct").output.contains("damaged   the last entry, after "))
    #expect(try opened("was not finished").contains("restored 2 versions from"))
    #expect(!(try run("list").output.contains(" damaged ")))
    try journal.cut(at: 0)
    #expect(!(try opened("journal: it was empty").contains("restored")))

    try tiny.journal("remove", "ct", "--force")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("state/segdeck/journals")) == [])
  }

  @Test("the loss of an edit is reported once, and the version has to be accepted again")
  func lostChanges() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 140, rows: 40, environment: environment)
    let command =
      tiny.reviewWithMask
    try review(command, in: session) {
      for voxel in ["2,2,2", "2,3,2"] {
        try session.enter(":" + voxel)
        try session.enter(":paint liver")
        try session.waitUntil("\(voxel) is painted") {
          $0.contains(
            voxel == "2,2,2" ? "labels.nii.gz edited is shown" : "paint liver in labels.nii.gz edited")
        }
      }
      try session.press("y")
      try session.waitFor("accepted labels.nii.gz edited")
    }
    let journal = try StoredJournal(below: folder("state"))
    try #require(journal.withVoxels.count == 3)
    let change = journal.withVoxels[2]
    func list() throws -> String {
      try tiny.journal("list")
    }
    // Its voxels, or both copies of its text: then it is unknown that it was this version's.
    for offsets in [[change.voxelStart], [change.start + 40, change.end - 40]] {
      try offsets.count == 1 ? journal.damage(at: offsets[0]) : journal.damage(at: offsets[0], offsets[1])
      #expect(
        try segdeck(["journal", "export", "ct", "-o", "a.nii.gz"], in: folder.path, environment: environment)
          .errors.contains("the voxels of labels.nii.gz edited are damaged"))
      try session.enter("reset; \(command)")
      let lost = "labels.nii.gz edited lacks an edit and is no longer accepted"
      try session.waitFor(lost, seconds: 60)
      // No step of the history has that acceptance any more.
      try session.press("z")
      #expect(!(try session.waitFor("undid: ").contains("accepted")))
      try session.press("Z")
      #expect(!(try session.waitFor("redid: ").contains("accepted")))
      try session.press("q")
      try session.waitFor("ready>")
      #expect(!(try list().contains("accepted")))
      // It begins anew with what is left of it.
      try review(command, in: session) {
        let shown = try session.waitFor("restored 1 version from", seconds: 60)
        #expect(!shown.contains("lacks"))
        try session.press("y")
        try session.waitFor("accepted labels.nii.gz edited")
      }
      #expect(try list().contains("accepted labels.nii.gz edited"))
      try review(command, in: session) {
        try session.waitFor("accepted: labels.nii.gz edited", seconds: 60)
      }
    }
    // The new record of all its voxels: what it stood for shows again.
    let again = try StoredJournal(below: folder("state"))
    #expect(again.withVoxels.count == 4)
    try again.damage(at: again.withVoxels[3].voxelStart)
    #expect(
      try segdeck(["journal", "export", "ct", "-o", "a.nii.gz"], in: folder.path, environment: environment)
        .errors.contains("the voxels of labels.nii.gz edited are damaged"))
    try session.enter("reset; \(command)")
    try session.waitFor("labels.nii.gz edited lacks an edit", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
  }

  @Test("where the current step is lost, later steps stay undone")
  func lostStep() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 140, rows: 40, environment: environment)
    try review(tiny.reviewWithMask, in: session) {
      try session.enter(":2,2,2")
      try session.enter(":paint liver")
      try session.waitFor("labels.nii.gz edited is shown")
      try session.press("y")
      try session.waitFor("accepted labels.nii.gz edited")
      try session.enter(":2,3,2")
      try session.enter(":paint liver")
      try session.waitFor("which is no longer accepted")
      try session.press("z")
      try session.waitFor("undid: paint liver")
    }
    let journal = try StoredJournal(below: folder("state"))
    let acceptance = try #require(
      journal.records.first { record in
        journal.text(of: record).contains("\"accept labels")
      })
    try journal.damage(at: acceptance.start + 64, acceptance.end - 40)
    try tiny.journal("export", "ct", "-o", "own.nii.gz")
    let mask = try ImageFile.open(folder("labels.nii.gz")).labelVolume().voxels
    let own = try ImageFile.open(folder("own.nii.gz")).labelVolume().voxels
    #expect(zip(mask, own).count { $0 != $1 } == 1)
    // Undone further, it is not accepted.
    try session.enter("reset; \(tiny.reviewWithMask)")
    try session.waitFor("accepted: labels.nii.gz edited", seconds: 60)
    try session.press("z")
    #expect(!(try session.waitFor("undid: a step that is lost").contains("accepted:")))
    try session.press("q")
    try session.waitFor("ready>")
  }

  @Test("where the last decision is lost, nothing is accepted until a new decision")
  func lostDecision() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 140, rows: 40, environment: environment)
    try session.enter("reset; \(tiny.reviewWithMask)")
    try session.waitFor("Axial", seconds: 60)
    try session.press("y")
    try session.waitFor("accepted labels.nii.gz")
    try session.press("e")
    try session.waitFor("it is no longer accepted")
    try session.press("q")
    try session.waitFor("ready>")
    let journal = try StoredJournal(below: folder("state"))
    let rejection = try #require(
      journal.records.last { record in
        journal.text(of: record).contains("decided")
      })
    try journal.damage(at: rejection.start + 40, rejection.end - 40)
    for _ in 0..<2 {
      let list = try tiny.journal("list")
      #expect(list.contains(" damaged ") && !list.contains("accepted"))
      try session.enter("reset; \(tiny.reviewWithMask)")
      let shown = try session.waitFor("the last decision is lost", seconds: 60)
      #expect(shown.contains("labels.nii.gz is no longer accepted"))
      #expect(!shown.contains("accepted: labels"))
      try session.press("q")
      try session.waitFor("ready>")
    }
    try review(tiny.reviewWithMask, in: session) {
      try session.waitFor("the last decision is lost", seconds: 60)
      try session.press("y")
      try session.waitFor("accepted labels.nii.gz")
    }
    #expect(try tiny.journal("list").contains("accepted labels.nii.gz"))
  }

  @Test("an export never replaces a file that the journal names")
  func sourcesStay() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    try review(tiny.reviewWithMask, in: session) {
      try session.press("y")
      try session.waitFor("accepted labels.nii.gz")
    }
    // Opened once under another name, it is one of them too.
    try FileManager.default.copyItem(atPath: folder("labels.nii.gz"), toPath: folder("moved.nii.gz"))
    try review("\(tiny.review) --mask \(folder("moved.nii.gz"))", in: session) {
      try session.waitFor("accepted: labels.nii.gz", seconds: 60)
    }
    for name in ["labels.nii.gz", "ct.nii.gz", "moved.nii.gz"] {
      let before = try folder.bytes(name)
      let outcome = try segdeck(
        ["journal", "export", "ct", "-o", name, "--force"], in: folder.path, environment: environment)
      #expect(outcome.status == 1 && outcome.errors.contains("is the file that is read"))
      #expect(try folder.bytes(name) == before)
    }
  }
}
