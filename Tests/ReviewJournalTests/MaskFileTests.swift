import Review
import ReviewFixtures
import Testing
import Volumes
import Work
import segdeck

@Suite("Masks that the journal knows")
struct MaskFileTests {
  private let directory = JournalDirectory()

  /// A case with masks of the given folders, whose contents are those of the phantom's two readers, by their positions.
  private func content(_ masks: [(folder: String, reader: Int)], below parent: String = "/cases")
    -> ReviewCase
  {
    var content = twoReaders()
    let read = content.masks
    content.masks = masks.map { folder, reader in
      var mask = read[reader]
      mask.path = "\(parent)/\(folder)/ct.nii.gz"
      (mask.name, mask.versionName) = ("ct.nii.gz", folder)
      return mask
    }
    return content
  }

  /// Opens a case, presses keys, writes its journal and closes it.
  private func review(
    _ number: Int, _ content: ReviewCase, keys: String = ""
  ) throws -> (state: ReviewState, opened: OpenedJournal) {
    let journal = CaseJournal(runs: runs, folder: directory.journals)
    let opened = try journal.open(
      content, WorkContext(), readFile: { _ throws(Cancelled) in nil }, readFrame: { _ in throw Cancelled() })
    var state = try laterSession(content, firstVersionNumber: 1000 * number)
    let effects = try state.read(opened) + state.type(keys)
    try journal.append(effects.notes)
    return (state, opened)
  }

  private func names(_ state: ReviewState) -> [String] { state.decisions.versions.map(\.name) }
  /// The names of A and B.
  private func shown(_ state: ReviewState) -> [String] {
    [state.decisions.a, state.decisions.b].compactMap { $0.flatMap { state.version($0)?.name } }
  }

  @Test("A and B are the masks that were asked for, whatever an earlier session compared")
  func askedMasks() throws {
    let both = [("net", 0), ("experts", 1)]
    #expect(shown(try review(1, content(both)).state) == ["net", "experts"])
    let experts = try review(2, content([("experts", 1)])).state
    #expect(shown(experts) == ["experts"])
    #expect(names(experts) == ["net", "experts"])
    #expect(shown(try review(3, content(both.reversed())).state) == ["experts", "net"])
    #expect(shown(try review(4, content(both)).state) == ["net", "experts"])
  }

  @Test("A and B that the reader chose beside the same masks are those of the next session")
  func chosenMasks() throws {
    let both = [("net", 0), ("experts", 1)]
    // The second version of the list becomes A.
    let chosen = try review(1, content(both), keys: "vja").state
    #expect(shown(chosen) == ["experts", "net"])
    #expect(shown(try review(2, content(both)).state) == ["experts", "net"])
  }

  @Test(
    "files that were exchanged are other masks: each has its own name and content, the earlier ones are beside them"
  )
  func exchangedFiles() throws {
    let before = try review(1, content([("net", 0), ("experts", 1)]), keys: "y")
    let (state, opened) = try review(2, content([("net", 1), ("experts", 0)]))
    #expect(opened.knownMasks == [:])
    #expect(
      opened.warning
        == "net is not as it was reviewed: both are here; experts is not as it was reviewed: both are here")
    #expect(names(state) == ["net as reviewed", "experts as reviewed", "net", "experts"])
    #expect(shown(state) == ["net", "experts"])
    let now = content([("net", 1), ("experts", 0)])
    #expect(state.decisions.versions[2].labels == now.masks[0].labels)
    #expect(state.decisions.versions[3].labels == now.masks[1].labels)
    // The decision is still about the mask that was accepted, under the name that the records have.
    #expect(state.decisions.verdicts.accepted == state.decisions.versions[0].id)
    #expect(state.decision(seconds: 0) == before.state.decision(seconds: 0))
    // The next session finds all four, under the same names.
    let later = try review(3, now)
    #expect(later.opened.warning == nil)
    #expect(names(later.state) == names(state))
    #expect(shown(later.state) == ["net", "experts"])
  }

  @Test("a copy over another file is a change of that file alone")
  func copiedFile() throws {
    _ = try review(1, content([("net", 0), ("experts", 1)]))
    let (state, opened) = try review(2, content([("net", 1), ("experts", 1)]))
    #expect(opened.warning == "net is not as it was reviewed: both are here")
    #expect(names(state) == ["net as reviewed", "experts", "net"])
    #expect(shown(state) == ["net", "experts"])
  }

  @Test("a file with its earlier content again is A again, until the reader chooses what it had in between")
  func contentOfBefore() throws {
    let (before, between) = (content([("net", 0), ("experts", 1)]), content([("net", 1), ("experts", 1)]))
    _ = try review(1, before)
    #expect(shown(try review(2, between).state) == ["net", "experts"])
    let (state, opened) = try review(3, before)
    #expect(opened.warning == nil)
    #expect(names(state) == ["net", "experts", "net as reviewed"])
    #expect(shown(state) == ["net", "experts"])
    #expect(state.decisions.a.flatMap { state.version($0)?.labels } == before.masks[0].labels)
    // The third version of the list becomes A.
    #expect(shown(try review(4, before, keys: "vjja").state) == ["net as reviewed", "experts"])
    #expect(shown(try review(5, before).state) == ["net as reviewed", "experts"])
  }

  @Test("masks that were moved with their folder are still the same")
  func movedFolder() throws {
    let both = [("net", 0), ("experts", 1)]
    _ = try review(1, content(both), keys: "y")
    let (state, opened) = try review(2, content(both, below: "/moved"))
    #expect(opened.warning == nil)
    #expect(opened.isOfTheseMasks)
    #expect(names(state) == ["net", "experts"])
    #expect(state.decisions.verdicts.accepted == state.decisions.a)
  }
}
