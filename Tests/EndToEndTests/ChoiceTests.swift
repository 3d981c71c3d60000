import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// Options that choose one of several series, segments or layers.
@Suite(.serialized)
struct ChoiceTests {
  /// A folder with two series, `ct`, and a segmentation whose segments overlap, `a.seg.nrrd`, with an image on its grid.
  private func filledFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let fixtures = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures")
    for (name, copy) in [("DICOM/two_series", "ct"), ("NRRD/overlapping.seg.nrrd", "a.seg.nrrd")] {
      try FileManager.default.copyItem(
        at: fixtures.appending(path: name), to: URL(filePath: folder(copy)))
    }
    try succeed(["convert", "a.seg.nrrd", "image.nii", "--segment", "liver"], in: folder.path)
    try succeed(["convert", "a.seg.nrrd", "lesion.nii", "--segment", "lesion"], in: folder.path)
    return folder
  }

  private func run(_ words: String, _ folder: TemporaryFolder) throws -> CommandOutcome {
    try segdeck(words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test("a series of a folder is chosen by its number, and the record of its mask replays")
  func series() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let refused = try run("segment ct -o m.nii", folder)
    #expect(
      refused.status == 1 && refused.errors.contains("ct: holds 2 series: found 1: CT, Phantom, 3 files"))
    #expect(refused.errors.contains("expected --series NUMBER"))
    #expect(try run("segment ct --series 2 -o m.nii", folder).status == 0)
    #expect(try ImageFile.open(folder("m.nii")).grid.size.k == 4)
    #expect(try succeed(["replay", "m.nii", "--verify"], in: folder.path) == "same\n")
    #expect(try run("render ct --series 2 -o a.png", folder).status == 0)
    #expect(try run("convert m.nii like.nii.gz --like ct --series 2", folder).status == 0)
    #expect(try ImageFile.open(folder("like.nii.gz")).grid.size.k == 4)
    try FileManager.default.copyItem(
      at: checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM/segmentation/binary.dcm"),
      to: URL(filePath: folder("s.dcm")))
    #expect(
      try run("convert s.dcm x.dcm", folder).errors
        == "segdeck: x.dcm: is a segmentation of an image's slices: found the segmentation alone, expected --like with "
        + "the DICOM image that s.dcm is of, or another suffix\n")
    // Of a folder with several series, a mask is of one that has to be chosen.
    #expect(
      try run("render ct --mask m.nii -o b.png", folder).errors.contains("ct: holds 2 series: found 1: CT"))
    try folder.make("one")
    for file in try ImageFile.open(folder("ct"), options: ImageReadingOptions(series: "2")).files {
      try FileManager.default.copyItem(
        at: URL(filePath: file), to: URL(filePath: folder("one/" + FilePath.name(of: file))))
    }
    #expect(try run("render one --mask m.nii -o b.png", folder).status == 0)
    let alone = try run("render one -o c.png", folder)
    #expect(
      alone.status == 0 && alone.output.hasSuffix("pixels in c.png\n") && !alone.output.contains("case"))
    let listed = try run("render one -o pictures", folder)
    #expect(listed.status == 0 && listed.output.hasPrefix("1 picture in "))
    #expect(try run("segment ct --series 3 -o x.nii", folder).errors.contains("has no such series: found 3"))
  }

  /// A folder with a DICOM image of two time points, `times`, and a mask on its grid, `m.nii`.
  private func timePoints() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM/times"),
      to: URL(filePath: folder("times")))
    let image = try ImageFile.open(folder("times"))
    let labels = LabelVolume(
      grid: image.grid, voxels: (0..<image.grid.size.voxelCount).map { $0 % 7 == 0 ? 1 : 0 })
    try labels.write(to: folder("m.nii"), source: image.source)
    return folder
  }

  @Test("a mask that is written like one frame of a DICOM image refers to the instances of that frame")
  func frameOfReference() throws {
    let folder = try timePoints()
    defer { folder.remove() }
    // The last number of the UID of an instance in this series is its time point, from 1.
    for (frame, time, other) in [("", 1, 2), (" --frame 0", 1, 2), (" --frame 1", 2, 1)] {
      #expect(try run("convert m.nii m.dcm --force --like times\(frame)", folder).status == 0)
      let bytes = try folder.bytes("m.dcm")
      let uid = "1.2.826.0.1.3680043.10.1499.3.1.4."
      #expect(bytes.firstRange(of: Data("\(uid)\(time)".utf8)) != nil)
      #expect(bytes.firstRange(of: Data("\(uid)\(other)".utf8)) == nil)
    }
    #expect(
      try run("convert m.nii x.dcm --like times --frame 2", folder).errors
        == "segdeck: times: has no such frame: found frame 2, expected 0 to 1\n")
  }

  @Test(
    "the record of a mask that is exported on one frame of an image names the frame", .timeLimit(.minutes(5)))
  func exportedFrame() throws {
    let folder = try timePoints()
    defer { folder.remove() }
    let terminal = try TmuxSession(columns: 120, rows: 40)
    defer { terminal.end() }
    try terminal.enter("cd \(folder.path); \(try BuiltProgram.path()) review times --mask m.nii")
    try terminal.waitFor("frame 0 of 0-1")
    try terminal.type(")")
    try terminal.waitFor("frame 1 of 0-1")
    try terminal.press("y", "E")
    try terminal.waitFor(" exported /", seconds: 60)
    try terminal.press("q")
    try terminal.waitFor("ready>")
    let record = try JSONSerialization.jsonObject(with: folder.bytes("times_seg.json")) as? [String: Any]
    let commands = record?["commands"] as? [String] ?? []
    #expect(commands.count == 1 && commands.allSatisfy { $0.hasSuffix("/times --frame 1") }, "\(commands)")
    #expect(try run("replay times_seg.json --verify", folder).status == 0)
  }

  @Test("each stack of one DICOM file is a case that is listed, measured, drawn and reported")
  func stacks() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("study", "net")
    try FileManager.default.copyItem(
      at: checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM/enhanced"),
      to: URL(filePath: folder("study/MR")))
    var bytes = try folder.bytes("study/MR/00.dcm")
    let stack: [UInt8] = [0x20, 0, 0x56, 0x90, 0x53, 0x48, 2, 0]
    for _ in 0..<3 {
      let range = try #require(bytes.firstRange(of: Data(stack + Array("1 ".utf8))))
      bytes.replaceSubrange(range, with: Data(stack + Array("2 ".utf8)))
    }
    try bytes.write(to: URL(filePath: folder("study/MR/00.dcm")))
    for number in 1...2 {
      let image = try ImageFile.open(
        folder("study/MR/00.dcm"), options: ImageReadingOptions(series: "\(number)"))
      let labels = LabelVolume(
        grid: image.grid, voxels: (0..<image.grid.size.voxelCount).map { $0 % 7 == 0 ? UInt16(number) : 0 })
      try labels.write(to: folder("net/MR_\(number).nii"), source: image.source)
    }
    #expect(
      try run("worklist study --labels net", folder).output == """
        case  image                masks  verdict  readers  score
        MR_1  MR/00.dcm, series 1  net    unread   -            -
        MR_2  MR/00.dcm, series 2  net    unread   -            -
        2 cases, 0 decided

        """)
    #expect(try run("worklist study --labels net -o list.csv", folder).status == 0)
    #expect(
      String(decoding: try folder.bytes("list.csv"), as: UTF8.self) == """
        case,image,mask:net,series
        MR_1,study/MR/00.dcm,net/MR_1.nii,1
        MR_2,study/MR/00.dcm,net/MR_2.nii,2

        """)
    for command in [
      "worklist list.csv --measure", "render list.csv -o pictures", "report list.csv -o report",
    ] {
      let outcome = try run(command, folder)
      #expect(outcome.status == 0 && !outcome.errors.contains("one series of 2 images"), "\(outcome.errors)")
    }
    #expect(Set(try folder.contents().keys).isSuperset(of: ["pictures/MR_1.png", "pictures/MR_2.png"]))
    let refused = try run("render list.csv --filter series=3 -o none", folder)
    #expect(refused.errors.hasSuffix("segdeck: list.csv: has no case to draw\n"), "\(refused.errors)")
    // Of formats that leave no choice, the columns are text.
    let text = "case,image,mask,series,segment,layer\nx,net/MR_1.nii,net/MR_1.nii,T1,first,cortex\n"
    try Data(text.utf8).write(to: URL(filePath: folder("old.csv")))
    let old = try run("render old.csv --filter series=T1 -o old", folder)
    #expect(old.status == 0 && old.output == "1 picture in old\n", "\(old.errors)")
  }

  @Test("a segment or layer of a mask is refined, compared and drawn, and its record replays")
  func segments() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let refine = "refine image.nii --mask a.seg.nrrd --iterations 1 --theta-alpha 3 --theta-beta 20"
    #expect(try run("\(refine) -o r.nii", folder).errors.contains("its segments overlap"))
    for (choice, mask) in [("--segment lesion", "r.nii"), ("--layer 1", "s.nii")] {
      #expect(try run("\(refine) \(choice) -o \(mask)", folder).status == 0)
      let record = try String(decoding: folder.bytes(mask.replacing(".nii", with: ".json")), as: UTF8.self)
      #expect(record.contains("segdeck refine image.nii \(choice) --mask a.seg.nrrd"))
      #expect(try succeed(["replay", mask, "--verify"], in: folder.path) == "same\n")
    }
    let compared = try run("compare a.seg.nrrd lesion.nii --segment lesion --json", folder)
    #expect(compared.status == 0 && compared.output.contains("\"dice\" : 1"))
    #expect(try run("render image.nii --mask a.seg.nrrd --segment lesion -o a.png", folder).status == 0)
    #expect(
      try run("compare lesion.nii lesion.nii --layer 0", folder).errors
        == "segdeck: --layer 0: chooses a part of a segmentation: found lesion.nii, lesion.nii, "
        + "expected a segmentation with layers, .seg.nrrd; of DICOM, which has none, --segment chooses\n")
    #expect(
      try run("refine image.nii --probabilities p.nii --segment lesion -o x.nii", folder).errors
        == "segdeck: --segment lesion: is about a mask: expected --mask with it; see `segdeck refine --help`\n"
    )
  }

  @Test("a folder of cases is read with a chosen series and segment, and with names for the whole folder")
  func casesOfFolders() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    try folder.make("images", "labels")
    for (name, path) in [
      ("image.nii", "images/a.nii"), ("a.seg.nrrd", "labels/a.seg.nrrd"), ("ct", "images/b"),
    ] {
      try FileManager.default.moveItem(atPath: folder(name), toPath: folder(path))
    }
    let image = try ImageFile.open(folder("images/b"), options: ImageReadingOptions(series: "2"))
    let labels = LabelVolume(
      grid: image.grid, voxels: (0..<image.grid.size.voxelCount).map { $0 % 5 == 0 ? 77 : 0 })
    try labels.write(to: folder("labels/b.nii"), source: image.source)
    let cases = "--images images --labels labels"
    let train = "train \(cases) -o m.safetensors --network small-heart --iterations 1"
    for command in ["evaluate \(cases)", "sweep \(cases) --trials 1", train] {
      #expect(
        try run(command, folder).errors.contains(
          "labels: labels without an image in images: found 1: b, expected a partner for each"))
      #expect(try run("\(command) --series 2", folder).errors.contains("its segments overlap"))
      #expect(
        try run("\(command) --series 2 --segment spleen", folder).errors.contains("has no such segment"))
    }
    try folder.make("files")
    try FileManager.default.copyItem(atPath: folder("images/a.nii"), toPath: folder("files/a.nii"))
    #expect(
      try run("evaluate --images files --labels labels --skip-unpaired --series 1.2", folder).errors
        == "segdeck: --series 1.2: chooses a series: found files/a.nii, expected a DICOM image; other formats hold "
        + "one image a file\n")
    let evaluate = "evaluate \(cases) --series 2 --segment liver --json"
    let unnamed = try run("\(evaluate) --cases b", folder)
    #expect(unnamed.errors.contains("the model has no such structure: label 77"), "\(unnamed.errors)")
    try Data("index\tname\n77\tliver\n".utf8).write(to: URL(filePath: folder("labels/dseg.tsv")))
    let named = try run(evaluate, folder)
    #expect(named.status == 0 && !named.errors.contains("label 77"), "\(named.errors)")
    #expect(named.output.contains("liver"))
  }

  @Test("the folder of a series that is divided among folders in it is an image, beside its segmentation too")
  func dividedSeries() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("images", "images/p", "images/p/1", "images/p/2", "labels")
    for (fixture, copy) in [
      ("explicit/00.dcm", "1/00.dcm"), ("explicit/01.dcm", "2/01.dcm"), ("explicit/02.dcm", "1/02.dcm"),
      ("explicit/03.dcm", "2/03.dcm"), ("segmentation/binary.dcm", "s.dcm"),
    ] {
      try FileManager.default.copyItem(
        at: checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM/" + fixture),
        to: URL(filePath: folder("images/p/" + copy)))
    }
    let drawn = try run("render images/p --mask images/p/s.dcm -o a.png", folder)
    #expect(drawn.status == 0 && drawn.output.hasSuffix("pixels in a.png\n"), "\(drawn.errors)")
    try succeed(["convert", "images/p", "labels/q.nii"], in: folder.path)
    #expect(try ImageFile.open(folder("labels/q.nii")).grid.size.k == 4)
    // Folders of cases count it.
    let unpaired = try run("evaluate --images images --labels labels", folder)
    #expect(
      unpaired.errors.contains(
        "no image has labels of the same name in labels: found 1 image and 1 label file"))
    // Where the segmentation lies elsewhere, an option about one image is not about a list.
    try FileManager.default.moveItem(atPath: folder("images/p/s.dcm"), toPath: folder("s.dcm"))
    #expect(try run("render images/p --mask s.dcm -o b.png", folder).status == 0)
  }

  @Test("a review opens a chosen series with a chosen segment, and previews files", .timeLimit(.minutes(5)))
  func review() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let terminal = try TmuxSession(columns: 120, rows: 40)
    defer { terminal.end() }
    try terminal.enter("cd \(folder.path); \(try BuiltProgram.path()) review ct --series 2")
    try terminal.waitFor("of 0-3")
    try terminal.type(":open image")
    try terminal.press("Tab")
    let shown = try terminal.waitFor("┌ image.nii ─")
    #expect(shown.contains(":open image.nii"))
    try terminal.waitFor(" 5x4x3, 1x1x1 mm, 32-bit ")
    try terminal.press("Escape")
    try terminal.waitUntil("hides the preview") { !$0.contains("┌ image.nii ─") }
    try terminal.type("q")
    try terminal.waitFor("ready>")
    try terminal.enter(
      "clear; \(try BuiltProgram.path()) review image.nii --mask a.seg.nrrd --segment lesion")
    try terminal.waitFor("lesion")
    try terminal.type("q")
  }
}
