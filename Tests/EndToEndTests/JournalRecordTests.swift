import Foundation
import Glibc
import ImageFormats
import TestSupport
import Testing
import Volumes

extension JournalTests {
  @Test(
    "edited voxels survive a kill, can be undone afterwards, and are written with their count")
  func changesSurvive() throws {
    let tiny = try TinyCase()
    let folder = tiny.folder
    defer { folder.remove() }
    let session = try TmuxSession(
      columns: 120, rows: 40, environment: tiny.environment)
    let review =
      "reset; \(tiny.reviewWithMask)"
    try session.enter(review)
    try session.waitFor("Axial", seconds: 60)
    try session.enter(":2,2,2")
    try session.enter(":paint liver")
    try session.waitFor("labels.nii.gz edited is shown")
    try session.enter(":2,3,2")
    try session.enter(":paint liver")
    try session.waitFor("paint liver in labels.nii.gz edited")
    usleep(1_200_000)
    try session.signalProgram("KILL")
    try session.waitFor("ready>")
    try session.enter(review)
    try session.waitFor("restored 1 version from", seconds: 60)
    try session.press("y", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("z", "z")
    try session.waitFor("undid: paint liver")
    try session.press("q")
    try session.waitFor("ready>")

    let before = try ImageFile.open(folder("labels.nii.gz")).labelVolume()
    var painted = before
    for j in [2, 3] { painted.voxels[before.grid.size.offset(VoxelIndex(2, j, 2))] = 6 }
    #expect(try ImageFile.open(folder("ct_seg.nii.gz")).labelVolume().voxels == painted.voxels)
    let record = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(filePath: folder("ct_seg.json"))))
    #expect((record as? [String: Any])?["voxelsChangedByHand"] as? Int == 2)
    let replay = try segdeck(["replay", "ct_seg.json", "--verify"], in: folder.path)
    #expect(replay.status == 1)
    #expect(
      replay.errors
        == "segdeck: ct_seg.json: the mask was edited by hand, which no command reproduces; ct_seg.nii.gz is the mask "
        + "that was written: found 2 voxels\n"
    )
    try Data("other".utf8).write(to: URL(filePath: folder("ct_seg.nii.gz")))
    #expect(
      try segdeck(["replay", "ct_seg.json", "--verify"], in: folder.path).errors
        .contains("; ct_seg.nii.gz is another file than was written: found 2 voxels"))
    try FileManager.default.removeItem(atPath: folder("ct_seg.nii.gz"))
    #expect(
      try segdeck(["replay", "ct_seg.json", "--verify"], in: folder.path).errors
        .contains("ct_seg.nii.gz is missing: found 2 voxels"))
  }

  @Test(
    "the record of a CRF on an edited mask states the edit, from the review and from the journal")
  func refinedChanges() throws {
    let tiny = try TinyCase()
    let (folder, environment) = (tiny.folder, tiny.environment)
    defer { folder.remove() }
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    try session.enter(
      "reset; \(tiny.reviewWithMask)")
    try session.waitFor("Axial", seconds: 60)
    try session.enter(":2,2,2")
    try session.enter(":paint aorta")
    try session.waitFor("labels.nii.gz edited is shown")
    try session.press("t", "Enter")
    try session.waitFor("CRF 1 is shown", seconds: 60)
    try session.press("q", "y", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    try tiny.journal("export", "ct", "-o", "own.nii.gz")
    #expect(try folder.bytes("own.nii.gz") == folder.bytes("ct_seg.nii.gz"))
    #expect(try folder.bytes("own.labels.json") == folder.bytes("ct_seg.labels.json"))
    struct Record: Decodable, Equatable {
      struct Review: Decodable, Equatable {
        struct Label: Decodable, Equatable { var name, colour: String }
        var version: String
        var labels: [Label]
      }
      var voxelsChangedByHand: Int?
      var commands: [String]
      var review: Review
    }
    let records = try ["ct_seg.json", "own.json"].map {
      try JSONDecoder().decode(Record.self, from: Data(contentsOf: URL(filePath: folder($0))))
    }
    #expect(records[0] == records[1])
    #expect(records[0].voxelsChangedByHand == 1)
    #expect(records[0].review.version == "CRF 1")
  }

  /// Model, source and commands of a record.
  func origin(_ record: String, in folder: TemporaryFolder) throws -> [String] {
    struct File: Decodable {
      var absolutePath: String
      var sha256: String
      var change: String?
    }
    struct Record: Decodable {
      var model, source: File?
      var commands: [String]
    }
    let read = try JSONDecoder().decode(
      Record.self, from: Data(contentsOf: URL(filePath: folder(record))))
    return [read.model, read.source].map {
      "\($0?.absolutePath ?? "-") \($0?.sha256 ?? "-") \($0?.change ?? "-")"
    }
      + read.commands
  }

  @Test(
    "the record of a restored network or mask states the file that made it, even if another file has its name now"
  )
  func restoredRecords() throws {
    let tiny = try TinyCase()
    let folder = tiny.folder
    defer { folder.remove() }
    let models = checkout.appending(path: "sample-data/models")
    func lay(_ name: String) throws {
      try? FileManager.default.removeItem(atPath: folder("net.safetensors"))
      try FileManager.default.copyItem(
        atPath: models.appending(path: "\(name).safetensors").path, toPath: folder("net.safetensors"))
    }
    try lay("liver")
    let environment = tiny.environment
    let session = try TmuxSession(columns: 120, rows: 40, environment: environment)
    let review = tiny.review
    // Two labels of the mask, which has no names of its own, are one here.
    try FileManager.default.removeItem(atPath: folder("labels.labels.json"))
    try session.enter(
      "clear; \(review) --model \(folder("net.safetensors")) --mask \(folder("labels.nii.gz")) --label 8,9=both"
    )
    try session.waitFor("Axial", seconds: 60)
    try session.enter(":export \(folder("mask.nii.gz"))")
    try session.waitFor("nothing is accepted")
    try session.press("y", "E")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("m")
    try session.waitFor("Enter runs it", seconds: 60)
    try session.press("Enter")
    try session.waitFor("B net", seconds: 120)
    try session.press("y")
    try session.waitFor("accepted: net")
    try session.enter(":export \(folder("before.nii.gz"))")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    let network = try origin("before.json", in: folder)
    let mask = try origin("ct_seg.json", in: folder)
    #expect(network[0].hasSuffix(" -") && network[1] == "- - -")
    #expect(mask[1].hasPrefix(folder("labels.nii.gz") + " "))
    #expect(mask[2].contains("--label"))

    // Neither mask nor model are named this time.
    try session.enter("reset; \(review)")
    try session.waitFor("restored 2 versions from", seconds: 60)
    try session.enter(":export \(folder("after.nii.gz"))")
    try session.waitFor(" exported /", seconds: 60)
    try session.press("q")
    try session.waitFor("ready>")
    #expect(try origin("after.json", in: folder) == network)
    try tiny.journal("export", "ct", "--version", "labels.nii.gz", "-o", "own.nii.gz")
    #expect(try origin("own.json", in: folder) == mask)
    for record in ["before.json", "after.json", "own.json", "ct_seg.json"] {
      #expect(
        try succeed(["replay", record, "--verify"], in: folder.path, environment: environment) == "same\n")
    }

    // Another model at the same path is not the one that made it.
    try lay("hippocampus")
    try tiny.journal("export", "ct", "-o", "later.nii.gz")
    let later = try origin("later.json", in: folder)
    #expect(later[0] == network[0].dropLast() + "changed since it was opened")
    #expect(later.dropFirst() == network.dropFirst())
    #expect(
      try segdeck(["replay", "later.json", "--verify"], in: folder.path, environment: environment).errors
        .contains("net.safetensors: is not the file of the record"))
  }
}
