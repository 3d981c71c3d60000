import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes

/// Commands that read and write images in every format.
@Suite(.serialized)
struct FormatCommandTests {
  /// An image with a mask of 24x20x16 voxels.
  private func filledFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try succeed(
      [
        "phantom", "ct", "--seed", "3", "--size", "24x20x16", "--spacing", "12", "-o", "image.nii",
        "--labels",
        "mask.seg.nrrd",
      ], in: folder.path)
    return folder
  }

  private func run(_ words: String, _ folder: TemporaryFolder) throws -> CommandOutcome {
    try segdeck(words.split(separator: " ").map(String.init), in: folder.path)
  }

  @Test("an image converted from format to format has the same voxels on the same grid at the end")
  func chain() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let names = ["image.nii", "a.mha", "b.mhd", "c.nrrd", "d.nhdr", "e.mgz", "f.mgh", "g.nii.gz"]
    for (input, output) in zip(names, names.dropFirst()) {
      let outcome = try run("convert \(input) \(output)", folder)
      #expect(outcome.status == 0 && outcome.errors == "", "\(output): \(outcome)")
    }
    let (first, last) = try (ImageFile.open(folder("image.nii")), ImageFile.open(folder("g.nii.gz")))
    #expect(try first.scalarVolume().voxels == last.scalarVolume().voxels)
    #expect(first.voxelType == last.voxelType && first.grid.size == last.grid.size)
    let info = try succeed(["info", "d.nhdr"], in: folder.path)
    #expect(info.contains("format       NRRD, gzip, little-endian"))
  }

  @Test("names and colours go from a segmentation through the files of other programs and back")
  func names() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let stated = try #require(try ImageFile.open(folder("mask.seg.nrrd")).labelNames?.entries)
    #expect(stated.contains { $0.value == 6 && $0.name == "liver" })
    for (number, names) in ["n.label", "n.tsv", "n.json"].enumerated() {
      let step = [
        "mask.seg.nrrd \(number).mgz --names \(names)",
        "\(number).mgz \(number).seg.nrrd --names-from \(names)",
      ]
      for words in step { #expect(try run("convert " + words, folder).status == 0) }
      #expect(try ImageFile.open(folder("\(number).seg.nrrd")).labelNames?.entries == stated)
    }
    #expect(
      try run("convert image.nii x.nii --names n.csv", folder).errors
        == "segdeck: n.csv: cannot be written as label names: expected a name that ends in "
        + "\(LabelNamesFormat.suffixList)\n")
  }

  @Test("names that a file of the folder has for all masks go with a mask, whatever it is converted to")
  func commonNames() throws {
    let all = (1...11).map { (value: $0, name: $0 == 6 ? "Liver" : $0 == 2 ? "Kidney" : "Part\($0)") }
    let tables = [
      ("FreeSurferColorLUT.txt", all.map { "\($0.value) \($0.name) 1 2 3 0\n" }.joined(), true),
      ("dseg.tsv", "index\tname\n" + all.map { "\($0.value)\t\($0.name)\n" }.joined(), true),
      ("dataset.json", #"{"labels": {"background": 0, "Liver": 6, "Kidney": 2}}"#, false),
    ]
    for (name, table, namesEvery) in tables {
      let folder = try filledFolder()
      defer { folder.remove() }
      // Only the numbers, in a folder of their own, without what the phantom wrote beside its mask.
      try folder.make("m", "out")
      #expect(try run("convert mask.seg.nrrd all.nii.gz", folder).status == 0)
      try FileManager.default.moveItem(atPath: folder("all.nii.gz"), toPath: folder("m/mask.nii.gz"))
      try Data(table.utf8).write(to: URL(filePath: folder("m/" + name)))
      let outcome = try run("convert m/mask.nii.gz out/a.seg.nrrd", folder)
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
      let named = try ImageFile.open(folder("out/a.seg.nrrd")).labelNames?.entries ?? []
      #expect(
        named.filter { [2, 6].contains($0.value) }.map { "\($0.value) \($0.name)" }.sorted()
          == ["2 Kidney", "6 Liver"])
      // A plain copy may be of an image, so the table must name every number.
      #expect(try run("convert m/mask.nii.gz out/b.mha", folder).status == 0)
      let isNamed = FileManager.default.fileExists(atPath: folder("out/b.labels.json"))
      #expect(isNamed == namesEvery, "\(name)")
      #expect(try run("convert m/mask.nii.gz out/c.mha --names out/names.json", folder).status == 0)
      #expect(FileManager.default.fileExists(atPath: folder("out/names.json")))
      let info = try succeed(["info", "m/mask.nii.gz"], in: folder.path)
      #expect(info.contains("2 Kidney") == namesEvery)
    }
  }

  @Test("a damaged file of names beside a mask is a finding of every command, which goes on without names")
  func damagedNames() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    #expect(try run("convert mask.seg.nrrd m.nii", folder).status == 0)
    try Data("{".utf8).write(to: URL(filePath: folder("m.labels.json")))
    let finding = "m.labels.json: is not JSON, or damaged; its names are not used"
    let info = try run("info m.nii", folder)
    #expect(info.status == 0 && info.output.contains("finding      " + finding))
    for words in ["convert m.nii c.mha", "convert m.nii c.seg.nrrd", "compare m.nii m.nii"] {
      let outcome = try run(words, folder)
      #expect(outcome.status == 0 && outcome.errors.contains(finding), "\(words): \(outcome)")
    }
    #expect(try run("convert m.nii d.mha --names-from m.labels.json", folder).status == 1)
  }

  @Test("a mask and its record are written in every format, and the record verifies what it describes")
  func records() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    for suffix in [".mha", ".mhd", ".nrrd", ".nhdr", ".seg.nrrd", ".mgz"] {
      let mask = "out" + suffix
      let words = "refine image.nii --mask mask.seg.nrrd --only-labels 6 --iterations 1 -o \(mask)"
      #expect(try run(words, folder).status == 0)
      #expect(try run("replay \(mask) --verify", folder).status == 0, "\(suffix)")
      #expect(try run("replay \(mask) -o again\(suffix)", folder).status == 0)
      let (first, second) = try (ImageFile.open(folder(mask)), ImageFile.open(folder("again" + suffix)))
      #expect(try first.labelVolume() == second.labelVolume())
      for name in try folder.contents().keys where name.hasPrefix("out") || name.hasPrefix("again") {
        try FileManager.default.removeItem(atPath: folder(name))
      }
    }
  }

  @Test("a record does not verify a header whose voxels were replaced")
  func replacedVoxels() throws {
    let folder = try filledFolder()
    defer { folder.remove() }
    let words = "refine image.nii --mask mask.seg.nrrd --only-labels 6 --iterations 1 -o"
    #expect(try run("\(words) one.nhdr", folder).status == 0)
    #expect(try run("convert mask.seg.nrrd two.nhdr --like image.nii --label 1,6=both", folder).status == 0)
    try folder.bytes("two.raw.gz").write(to: URL(filePath: folder("one.raw.gz")))
    let outcome = try run("replay one.nhdr --verify", folder)
    #expect(outcome.status == 1 && outcome.errors.contains("was changed since its record was written"))
  }

  @Test("a segmentation whose segments overlap is described, and one of its segments is converted")
  func overlapping() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let fixture = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/NRRD/overlapping.seg.nrrd")
    try FileManager.default.copyItem(at: fixture, to: URL(filePath: folder("a.seg.nrrd")))
    let info = try succeed(["info", "a.seg.nrrd"], in: folder.path)
    #expect(info.contains("layer 0      1 liver\nlayer 1      2 lesion"))
    #expect(
      info.contains(
        "finding      its segments overlap (liver and lesion); no mask can hold all of them; --segment NAME or "
          + "--layer N reads some") && !info.contains("values"))
    #expect(
      try run("convert a.seg.nrrd b.nii", folder).errors
        == "segdeck: a.seg.nrrd: its segments overlap: found liver and lesion, expected one of them, with "
        + "--segment NAME or --layer 0 to 1\n")
    #expect(try run("convert a.seg.nrrd b.nii --segment lesion", folder).status == 0)
    #expect(try ImageFile.open(folder("b.nii")).labelVolume().values() == [0, 2])
  }

  /// A folder with a DICOM series, `ct`, and masks of it as segmentations and as NIfTI: `a` with a block in the second slice,
  /// `b` with the same in the second and third.
  private func segmentedFolder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let fixture = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM/explicit")
    try FileManager.default.copyItem(at: fixture, to: URL(filePath: folder("ct")))
    let image = try ImageFile.open(folder("ct"))
    for (name, slices) in [("a", 1...1), ("b", 1...2)] {
      let voxels = (0..<image.grid.size.voxelCount).map { offset -> UInt16 in
        let (i, j, k) = (offset % 15, offset / 15 % 11, offset / 165)
        return (5..<10).contains(i) && (4..<7).contains(j) && slices.contains(k) ? 1 : 0
      }
      let mask = LabelVolume(grid: image.grid, voxels: voxels)
      for suffix in [".dcm", ".nii"] { try mask.write(to: folder(name + suffix), source: image.source) }
    }
    return folder
  }

  @Test("masks that leave out different slices of one image are compared on all of them")
  func comparedSegmentations() throws {
    let folder = try segmentedFolder()
    defer { folder.remove() }
    #expect(try ImageFile.open(folder("a.dcm")).grid.size == GridSize(15, 11, 1))
    for (reference, other) in [
      ("a.dcm", "b.dcm"), ("b.dcm", "a.dcm"), ("a.dcm", "b.nii"), ("a.nii", "b.dcm"),
    ] {
      let outcome = try run("compare \(reference) \(other)", folder)
      #expect(
        outcome.status == 0 && outcome.output.contains("  0.6667  "), "\(reference), \(other): \(outcome)")
    }
  }

  @Test("slices that segmentations leave out are part of the image when the cases of a list are measured")
  func measuredSegmentations() throws {
    let folder = try segmentedFolder()
    defer { folder.remove() }
    for name in ["a.nii", "b.nii"] { try FileManager.default.removeItem(atPath: folder(name)) }
    let outcome = try run("worklist . --measure", folder)
    #expect(outcome.status == 0 && outcome.output.contains("0.667"), "\(outcome)")
    // The last slice of a segmentation is not the border of its image.
    #expect(!outcome.output.contains("border") && !outcome.output.contains("not compared"), "\(outcome)")
  }

  @Test(
    "a record names labels as the mask's format holds them, so that it verifies until the names in the file change"
  )
  func shortenedNames() throws {
    let folder = try segmentedFolder()
    defer { folder.remove() }
    let long = Array(repeating: "kidney", count: 12).joined(separator: " ")
    for (name, held) in [(#"liver \ left"#, "liver / left"), (long, String(long.prefix(64)))] {
      let stated = try JSONEncoder().encode(name)
      let names = Data(#"{"labels": [{"value": 1, "name": "#.utf8) + stated + Data("}]}".utf8)
      try names.write(to: URL(filePath: folder("a.labels.json")))
      for (file, expected) in [("o.dcm", held), ("o.seg.nrrd", name)] {
        let outcome = try run("refine ct --mask a.nii --iterations 1 --force -o \(file)", folder)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try ImageFile.open(folder(file)).labelNames?.entries.map(\.name) == [expected])
        let verified = try run("replay \(file) --verify", folder)
        #expect(verified.status == 0 && verified.output == "same\n", "\(file): \(verified)")
      }
    }
    var changed = try folder.bytes("o.dcm")
    let range = try #require(changed.firstRange(of: Data("kidney kidney".utf8)))
    changed.replaceSubrange(range, with: Data("spleen kidney".utf8))
    try changed.write(to: URL(filePath: folder("o.dcm")))
    let outcome = try run("replay o.dcm --verify", folder)
    #expect(
      outcome.status == 1 && outcome.errors.contains("was changed since the record was written"),
      "\(outcome)")
  }

  @Test("what is said of segments when a mask is read is said in the description of its file")
  func describedSegments() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let fixtures = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures")
    for name in ["NRRD/apart.seg.nrrd", "NRRD/one_layer.seg.nrrd", "DICOM/segmentation/overlapping.dcm"] {
      let file = fixtures.appending(path: name)
      try FileManager.default.copyItem(at: file, to: URL(filePath: folder(file.lastPathComponent)))
    }
    // Layers that do not overlap are one mask, which has values.
    #expect(
      try succeed(["info", "apart.seg.nrrd"], in: folder.path).contains("\nvalues       0 to 2, mean "))
    let dicom = try succeed(["info", "overlapping.dcm"], in: folder.path)
    #expect(dicom.contains("\nlabels       1 Liver, 2 Left kidney\n") && !dicom.contains("values"))
    #expect(
      dicom.contains(
        "finding      its segments overlap (1 Liver and 2 Left kidney); no mask can hold all of them; "
          + "--segment NAME reads some"))
    for (key, value, finding) in [
      (
        "Segment1_LabelValue:=2", "Segment1_LabelValue:=1",
        "label 1 is called liver and then left kidney; the last name counts"
      ),
      (
        "Segment1_Name:=left kidney", "Segment1_Name:=liver",
        "labels 1, 2 are all called liver; where structures go by name they are one"
      ),
    ] {
      let stated = try folder.bytes("one_layer.seg.nrrd")
      let range = try #require(stated.firstRange(of: Data(key.utf8)))
      var changed = stated
      changed.replaceSubrange(range, with: Data(value.utf8))
      try changed.write(to: URL(filePath: folder("changed.seg.nrrd")))
      #expect(
        try succeed(["info", "changed.seg.nrrd"], in: folder.path).contains("finding      \(finding)"))
    }
  }

  @Test(
    "a DICOM segmentation of another frame of reference than the image is noted wherever it is read for it")
  func otherFrameOfReference() throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let fixtures = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/DICOM")
    for (name, copy) in [("explicit", "ct"), ("segmentation/binary.dcm", "own.dcm")] {
      try FileManager.default.copyItem(at: fixtures.appending(path: name), to: URL(filePath: folder(copy)))
    }
    var bytes = try folder.bytes("own.dcm")
    let uid = "1.2.826.0.1.3680043.10.1499."
    let range = try #require(bytes.firstRange(of: Data("UI\u{1e}\0\(uid)4".utf8)))
    bytes.replaceSubrange(range, with: Data("UI\u{1e}\0\(uid)5".utf8))
    try bytes.write(to: URL(filePath: folder("other.dcm")))
    let commands = [
      ("convert MASK m.nii --force --like ct", "ct"), ("render ct --mask MASK --force -o a.png", "ct"),
      ("refine ct --mask MASK --iterations 1 --force -o r.nii", "ct"), ("compare own.dcm MASK", "own.dcm"),
    ]
    for (words, subject) in commands {
      let other = try run(words.replacing("MASK", with: "other.dcm"), folder)
      #expect(other.status == 0, "\(words): \(other)")
      #expect(
        other.errors.contains(
          "segdeck: note: other.dcm: it is of another frame of reference than \(subject); its voxels are read by its "
            + "grid alone\n"), "\(words): \(other.errors)")
      let own = try run(words.replacing("MASK", with: "own.dcm"), folder)
      #expect(own.status == 0 && !own.errors.contains("it is of another"), "\(words): \(own)")
    }
  }
}
