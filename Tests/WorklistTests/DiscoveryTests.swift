import Foundation
import Testing
import Work
import Worklist

@Suite struct DiscoveryTests {
  @Test("images and labels of one name are cases in natural order")
  func pairedFolders() throws {
    let folder = try SampleFolder(
      "images/case10.nii.gz", "images/case2.nii.gz", "labels/case2.nii.gz", "labels/case10_seg.nii.gz",
      "segmentations/case2.nii.gz", "labels/other.nii.gz", "images/.hidden.nii.gz", "images/notes.txt")
    #expect(
      try folder.found() == [
        "case2: images/case2.nii.gz; labels=labels/case2.nii.gz; segmentations=segmentations/case2.nii.gz",
        "case10: images/case10.nii.gz; labels=labels/case10_seg.nii.gz",
      ])
    #expect(try folder.notes() == ["1 mask without an image: labels/other.nii.gz"])
  }

  @Test("images and masks of other formats are found, a header with its voxels as one")
  func otherFormats() throws {
    let folder = try SampleFolder(
      "a.nrrd", "a.seg.nrrd", "b.mhd", "b.zraw", "b_seg.mha", "c.nhdr", "c.raw.gz", "c-label.mgz", "d.mgh")
    #expect(
      try folder.found() == [
        "a: a.nrrd; seg=a.seg.nrrd", "b: b.mhd; seg=b_seg.mha", "c: c.nhdr; label=c-label.mgz", "d: d.mgh",
      ])
    #expect(try folder.notes() == [])
  }

  @Test(
    "folders of images and labels are known by many names",
    arguments: [
      ("image", "label"), ("imagesTr", "labelsTr"), ("imagesTs", "labelsTs"), ("imagesVal", "labelsVal"),
      ("images", "masks"), ("Images", "Segmentation"), ("img", "mask"), ("images_train", "labels_train"),
    ])
  func folderNames(images: String, labels: String) throws {
    let folder = try SampleFolder("\(images)/a.nii", "\(labels)/a.nii")
    #expect(try folder.found() == ["a: \(images)/a.nii; \(labels)=\(labels)/a.nii"])
  }

  @Test("channels of nnU-Net are images of one case, and equal names in different splits are different cases")
  func nnUNet() throws {
    let folder = try SampleFolder(
      "imagesTr/la_1_0000.nii.gz", "imagesTr/la_1_0001.nii.gz", "imagesTr/la_2_0000.nii.gz",
      "labelsTr/la_1.nii.gz", "labelsTr/la_2.nii.gz", "imagesTs/la_2_0000.nii.gz", "dataset.json",
      "imagesTr/scan_2021.nii.gz", "labelsTr/scan_2021.nii.gz")
    #expect(
      try folder.found() == [
        "imagesTr/la_2: imagesTr/la_2_0000.nii.gz; labelsTr=labelsTr/la_2.nii.gz",
        "imagesTs/la_2: imagesTs/la_2_0000.nii.gz",
        "la_1: imagesTr/la_1_0000.nii.gz imagesTr/la_1_0001.nii.gz; labelsTr=labelsTr/la_1.nii.gz",
        "scan_2021: imagesTr/scan_2021.nii.gz; labelsTr=labelsTr/scan_2021.nii.gz",
      ])
  }

  @Test(
    "a folder beside nnU-Net's images holds masks, of the part that it names or of both, and never images",
    arguments: [
      "labelsPred", "preds", "PredictedLabels", "Segmentations_v2", "nnunet_predictions", "mask-net",
    ])
  func foldersBesideImages(name: String) throws {
    let folder = try SampleFolder(
      "imagesTr/la_1_0000.nii.gz", "imagesTr/la_2_0000.nii.gz", "imagesTs/la_2_0000.nii.gz",
      "imagesTs/la_3_0000.nii.gz", "labelsTr/la_1.nii.gz", "labelsTr/la_2.nii.gz",
      "labelsTr_pred/la_2.nii.gz",
      "\(name)/la_1.nii.gz", "\(name)/la_3.nii.gz", "net/la_1.nii.gz", "notes/a.txt")
    let names = ["labelsTr", "labelsTr_pred", name].sorted { $0.lowercased() < $1.lowercased() }
    func line(_ name: String, _ image: String, _ label: String, _ own: [String]) -> String {
      "\(name): \(image)" + names.filter(own.contains).map { "; \($0)=\($0)/\(label).nii.gz" }.joined()
    }
    #expect(
      try folder.found() == [
        line("imagesTr/la_2", "imagesTr/la_2_0000.nii.gz", "la_2", ["labelsTr", "labelsTr_pred"]),
        line("imagesTs/la_2", "imagesTs/la_2_0000.nii.gz", "la_2", []),
        line("la_1", "imagesTr/la_1_0000.nii.gz", "la_1", ["labelsTr", name]),
        line("la_3", "imagesTs/la_3_0000.nii.gz", "la_3", [name]),
      ])
    #expect(
      try folder.notes() == ["1 folder beside the images not used (--labels FOLDER adds a version): net"])
  }

  @Test("one folder of labels may be given beside others, and the names of the cases stay the same")
  func namesWithLabels() throws {
    let folder = try SampleFolder(
      "imagesTr/la_1_0000.nii.gz", "imagesTs/la_1_0000.nii.gz", "labelsTr/la_1.nii.gz", "labelsPred/x.nii.gz")
    let cases = [
      "imagesTr/la_1: imagesTr/la_1_0000.nii.gz; labelsTr=labelsTr/la_1.nii.gz",
      "imagesTs/la_1: imagesTs/la_1_0000.nii.gz",
    ]
    #expect(try folder.found() == cases)
    #expect(try folder.found(labels: ["labelsTr"]) == cases)
    let flat = try SampleFolder("data/b.nii", "other/b.nii")
    #expect(try flat.found() == ["data: data/b.nii", "other: other/b.nii"])
    #expect(try flat.found(labels: ["other"]) == ["data: data/b.nii; other=other/b.nii"])
  }

  @Test(
    "a file in a folder of images is an image although its name says label, unless it is the mask of another")
  func namesInImageFolders() throws {
    let folder = try SampleFolder(
      "images/extra-label.nii.gz", "images/extra.nii.gz", "images/seg_1.nii.gz", "images/x.nii.gz",
      "images/x_seg.nii.gz", "labels/extra-label.nii.gz", "labels/extra.nii.gz", "labels/seg_1.nii.gz")
    #expect(
      try folder.found() == [
        "extra: images/extra.nii.gz; labels=labels/extra.nii.gz",
        "extra-label: images/extra-label.nii.gz; labels=labels/extra-label.nii.gz",
        "seg_1: images/seg_1.nii.gz; labels=labels/seg_1.nii.gz",
        "x: images/x.nii.gz; seg=images/x_seg.nii.gz",
      ])
  }

  @Test("folders within a folder of labels are versions of their own, unless they are cases")
  func foldersOfLabels() throws {
    let folder = try SampleFolder(
      "images/a.nii", "images/p1/ct.nii", "labels/a.nii", "labels/p1/seg.nii", "labels/experts/a.nii",
      "labels/net/a.nii", "labels/net/p1/ct.nii", "flat/b.nii", "flat/c.nii", "flat/labels/experts/b.nii",
      "flat/labels/net/b.nii")
    #expect(
      try folder.found("flat") == [
        "b: flat/b.nii; experts=flat/labels/experts/b.nii; net=flat/labels/net/b.nii", "c: flat/c.nii",
      ])
    try FileManager.default.removeItem(atPath: folder("flat"))
    #expect(
      try folder.found() == [
        "a: images/a.nii; experts=labels/experts/a.nii; labels=labels/a.nii; net=labels/net/a.nii",
        "p1: images/p1/ct.nii; labels=labels/p1/seg.nii; net=labels/net/p1/ct.nii",
      ])
  }

  @Test("a folder with an image and masks is a case, also of several images")
  func caseFolders() throws {
    let folder = try SampleFolder(
      "p2/image.nii.gz", "p2/mask.nii.gz", "p2/mask_ann.nii.gz", "p10/ct.nii.gz", "p10/segmentation.nii.gz",
      "BraTS_001/BraTS_001_t1.nii.gz", "BraTS_001/BraTS_001_flair.nii.gz", "BraTS_001/BraTS_001_seg.nii.gz",
      "s1/ct.nii.gz", "s1/segmentations/liver.nii.gz", "s1/segmentations/spleen.nii.gz", "only/scan.nii.gz",
      "h/volume.nii.gz", "h/autolabel.nii.gz", "h/volume_probabilities.nii.gz")
    #expect(
      try folder.found() == [
        "BraTS_001: BraTS_001/BraTS_001_flair.nii.gz BraTS_001/BraTS_001_t1.nii.gz; seg=BraTS_001/BraTS_001_seg.nii.gz",
        "h: h/volume.nii.gz; autolabel=h/autolabel.nii.gz; p=h/volume_probabilities.nii.gz",
        "only: only/scan.nii.gz",
        "p2: p2/image.nii.gz; mask=p2/mask.nii.gz; mask_ann=p2/mask_ann.nii.gz",
        "p10: p10/ct.nii.gz; segmentation=p10/segmentation.nii.gz",
        "s1: s1/ct.nii.gz; liver=s1/segmentations/liver.nii.gz; spleen=s1/segmentations/spleen.nii.gz",
      ])
  }

  @Test("folders of images and of labels may have a folder for each case in them")
  func pairedCaseFolders() throws {
    let folder = try SampleFolder(
      "images/p1/ct.nii", "images/p2/ct.nii", "images/p2/pet.nii", "labels/p1/seg.nii", "labels/p2/ct.nii",
      "images/x/a.nii", "images/y/a.nii", "labels/y/a.nii")
    #expect(
      try folder.found() == [
        "images/x/a: images/x/a.nii", "images/y/a: images/y/a.nii; labels=labels/y/a.nii",
        "p1: images/p1/ct.nii; labels=labels/p1/seg.nii",
        "p2: images/p2/ct.nii images/p2/pet.nii; labels=labels/p2/ct.nii",
      ])
    #expect(throws: InputError.self) { try folder.found(labels: ["../" + FilePath.name(of: folder.path)]) }
  }

  @Test("a folder of one case may be given itself")
  func oneCase() throws {
    let folder = try SampleFolder("p2/image.nii.gz", "p2/mask.nii.gz")
    #expect(try folder.found("p2") == ["p2: p2/image.nii.gz; mask=p2/mask.nii.gz"])
  }

  @Test("BIDS has a case for each session with a mask of each pipeline on the image's own grid")
  func bids() throws {
    let folder = try SampleFolder(
      "sub-2/ses-1/anat/sub-2_ses-1_T2w.nii.gz", "sub-2/ses-1/anat/sub-2_ses-1_T1w.nii.gz",
      "sub-2/ses-1/anat/sub-2_ses-1_T1w.json", "sub-2/ses-1/func/sub-2_ses-1_task-rest_bold.nii.gz",
      "sub-2/ses-2/anat/sub-2_ses-2_T1w.nii.gz", "sub-10/anat/sub-10_T1w.nii.gz",
      "derivatives/synthseg/sub-2/ses-1/anat/sub-2_ses-1_dseg.nii.gz",
      "derivatives/synthseg/sub-10/anat/sub-10_dseg.nii.gz",
      "derivatives/fmriprep/sub-2/ses-1/anat/sub-2_ses-1_desc-brain_mask.nii.gz",
      "derivatives/fmriprep/sub-2/ses-1/anat/sub-2_ses-1_space-MNI152_dseg.nii.gz",
      "derivatives/fmriprep/sub-2/ses-1/anat/sub-2_ses-1_label-GM_probseg.nii.gz",
      "derivatives/synthseg/sub-7/anat/sub-7_dseg.nii.gz")
    #expect(
      try folder.found() == [
        "sub-2_ses-1: sub-2/ses-1/anat/sub-2_ses-1_T1w.nii.gz sub-2/ses-1/anat/sub-2_ses-1_T2w.nii.gz; "
          + "fmriprep=derivatives/fmriprep/sub-2/ses-1/anat/sub-2_ses-1_desc-brain_mask.nii.gz; "
          + "synthseg=derivatives/synthseg/sub-2/ses-1/anat/sub-2_ses-1_dseg.nii.gz",
        "sub-2_ses-2: sub-2/ses-2/anat/sub-2_ses-2_T1w.nii.gz",
        "sub-10: sub-10/anat/sub-10_T1w.nii.gz; synthseg=derivatives/synthseg/sub-10/anat/sub-10_dseg.nii.gz",
      ])
    #expect(
      try folder.notes() == [
        "1 mask without an image: derivatives/synthseg/sub-7/anat/sub-7_dseg.nii.gz",
        "1 further mask of a pipeline not used: "
          + "derivatives/fmriprep/sub-2/ses-1/anat/sub-2_ses-1_space-MNI152_dseg.nii.gz",
      ])
  }

  @Test("a flat folder pairs images with masks by the ending, and lists images alone")
  func flat() throws {
    let folder = try SampleFolder(
      "x.nii.gz", "x_seg.nii.gz", "x_mask.nii.gz", "y.nii", "y-label.nii", "z.nii.gz", "z_pred_v2.nii.gz",
      "volume-3.nii", "segmentation-3.nii", "q_seg.nii", "w.hdr", "w.img", "w_mask.nii")
    #expect(
      try folder.found() == [
        "volume-3: volume-3.nii; segmentation-3=segmentation-3.nii", "w: w.hdr; mask=w_mask.nii",
        "x: x.nii.gz; mask=x_mask.nii.gz; seg=x_seg.nii.gz", "y: y.nii; label=y-label.nii",
        "z: z.nii.gz; pred_v2=z_pred_v2.nii.gz",
      ])
    #expect(try folder.notes() == ["1 mask without an image: q_seg.nii"])
  }

  @Test("a folder of masks that is given twice, by any path, is refused")
  func labelsTwice() throws {
    let folder = try SampleFolder("images/a.nii", "one/a.nii", "two/a.nii")
    #expect(
      try folder.found("images", labels: ["one", "two"]) == ["a: images/a.nii; one=one/a.nii; two=two/a.nii"])
    #expect(throws: InputError(folder("two/../one"), "is given twice", expected: "each folder of masks once"))
    {
      try folder.found("images", labels: ["one", "two/../one"])
    }
  }

  @Test("a mask that the program exported is recognised by its record")
  func exports() throws {
    let folder = try SampleFolder("x.nii.gz", "y.nii.gz", "liver.nii.gz", "t.nii.gz")
    try folder.write(#"{"tool": "segdeck 0.4", "input": {"path": "/elsewhere/y.nii.gz"}}"#, to: "liver.json")
    try folder.write(#"{"RepetitionTime": 2}"#, to: "t.json")
    #expect(
      try folder.found() == ["t: t.nii.gz", "x: x.nii.gz", "y: y.nii.gz; liver=liver.nii.gz"])
  }

  @Test("a mask that a review exported beside its image is no version, one of the program's networks is")
  func reviewExports() throws {
    let folder = try SampleFolder(
      "x.nii.gz", "x_pred.nii.gz", "x_seg.nii.gz", "x_seg1.nii.gz", "y.nii.gz", "y_seg.nii.gz",
      "y_seg1.nii.gz", "z.nii.gz", "result.nii.gz")
    func write(_ image: String, _ name: String, isExported: Bool = true) throws {
      let review = isExported ? #", "review": {"verdict": "accepted"}"# : ""
      try folder.write(#"{"tool": "segdeck 0.4", "input": {"path": "/data/\#(image)"}\#(review)}"#, to: name)
    }
    try write("x.nii.gz", "x_seg.json")
    try write("y.nii.gz", "y_seg.json", isExported: false)
    try write("z.nii.gz", "result.json")
    #expect(
      try folder.found() == [
        "x: x.nii.gz; pred=x_pred.nii.gz; seg1=x_seg1.nii.gz",
        "y: y.nii.gz; seg=y_seg.nii.gz; seg1=y_seg1.nii.gz", "z: z.nii.gz",
      ])
    #expect(
      try folder.notes() == [
        "2 masks exported from a review not listed (:mask FILE opens one beside a case): result.nii.gz, x_seg.nii.gz"
      ])
  }

  @Test(
    "a mask that a review exported can be exported again, the record of a mask that is listed is never replaced"
  )
  func exportsAgain() throws {
    let folder = try SampleFolder("x.nii.gz", "x_seg.nii.gz", "y.nii.gz", "y_seg.nii.gz")
    let review = #", "review": {"verdict": "accepted"}"#
    for (name, part) in [("x", review), ("y", "")] {
      try folder.write(
        #"{"tool": "segdeck 0.4", "input": {"path": "\#(name).nii.gz"}\#(part)}"#, to: "\(name)_seg.json")
    }
    _ = try folder.found()
    let isReplaced = ["x_seg.json", "x_seg.nii.gz", "y_seg.json"].map { name in
      (try? AtomicFile.write(Data("{}".utf8), to: folder(name))) != nil
    }
    #expect(isReplaced == [true, true, false])
  }

  @Test(
    "an export takes no name of a pipeline and is no B, but in a folder of masks it is a version",
    arguments: [
      [
        "sub-01/anat/sub-01_T1w.nii.gz", "derivatives/auto/sub-01/anat/sub-01_dseg.nii.gz",
        "derivatives/manual/sub-01/anat/sub-01_dseg.nii.gz",
      ],
      ["c/image.nii.gz", "c/mask.nii.gz"], ["images/c.nii.gz", "labels/c.nii.gz"],
    ])
  func exportsInLayouts(files: [String]) throws {
    let folder = try SampleFolder()
    try folder.make(files)
    let before = try folder.found()
    let image = files[0]
    let stem = image.replacing(".nii.gz", with: "_seg")
    let record =
      #"{"tool": "segdeck 0.4", "input": {"path": "\#(image)"}, "review": {"verdict": "accepted"}}"#
    try folder.make([stem + ".nii.gz"])
    try folder.write(record, to: stem + ".json")
    #expect(try folder.found() == before)
    // A reader may collect exports in a folder.
    let name = FilePath.name(of: image)
    try folder.make(["chosen/" + name])
    try folder.write(record, to: "chosen/" + name.replacing(".nii.gz", with: ".json"))
    #expect(try folder.found(labels: ["chosen"]) == before.map { $0 + "; chosen=chosen/" + name })
  }

  @Test("label folders are versions in the order they are given, matched by the longest common name")
  func labelFolders() throws {
    let folder = try SampleFolder(
      "images/case1.nii.gz", "images/case10.nii.gz", "images/case1_b.nii.gz", "labels/case1.nii.gz",
      "z/case1.nii.gz", "z/case10_pred.nii.gz", "z/case1_b_v2.nii.gz", "a/case10.nii.gz", "a/other.nii.gz")
    #expect(
      try folder.found(labels: ["z", "a"]) == [
        "case1: images/case1.nii.gz; labels=labels/case1.nii.gz; z=z/case1.nii.gz",
        "case1_b: images/case1_b.nii.gz; z=z/case1_b_v2.nii.gz",
        "case10: images/case10.nii.gz; z=z/case10_pred.nii.gz; a=a/case10.nii.gz",
      ])
    #expect(try folder.notes(labels: ["z", "a"]) == ["1 mask without an image: a/other.nii.gz"])
    #expect(
      try folder.found("images", labels: ["a"]) == [
        "case1: images/case1.nii.gz", "case1_b: images/case1_b.nii.gz",
        "case10: images/case10.nii.gz; a=a/case10.nii.gz",
      ])
  }

  @Test("label folders with a folder for each case are matched by that folder")
  func labelFoldersOfCases() throws {
    let folder = try SampleFolder(
      "data/p1/image.nii.gz", "data/p2/image.nii.gz", "out/p1/seg.nii.gz", "out/p2/image.nii.gz")
    #expect(
      try folder.found("data", labels: ["out"]) == [
        "p1: data/p1/image.nii.gz; out=out/p1/seg.nii.gz",
        "p2: data/p2/image.nii.gz; out=out/p2/image.nii.gz",
      ])
  }

  @Test("a label file that fits two images is refused with both names")
  func ambiguousLabels() throws {
    let folder = try SampleFolder("images/s1_T1w.nii", "images/s1_b_T1w.nii", "images/s2.nii", "out/s1_x.nii")
    try folder.make(["two/s2_a.nii", "two/s2_b.nii", "none/q.nii"])
    #expect(
      try folder.found("images", labels: ["out"]) == [
        "s1_b_T1w: images/s1_b_T1w.nii", "s1_T1w: images/s1_T1w.nii; out=out/s1_x.nii", "s2: images/s2.nii",
      ])
    func refusal(_ labels: String) -> String? {
      do {
        _ = try folder.found("images", labels: [labels])
        return nil
      } catch { return folder.relative("\(error)") }
    }
    #expect(
      refusal("two") == "two: several files fit the case s2: found s2_a.nii and s2_b.nii, expected one")
    #expect(
      refusal("none") == "none: no file fits an image: found 1 image file, expected files named as the images"
    )
    try folder.make(["amb/s.nii", "images/s.1.nii", "images/s.2.nii"])
    #expect(
      refusal("amb")
        == "amb/s.nii: fits several images: found images/s.1.nii and images/s.2.nii, "
        + "expected names that tell them apart")
  }

  @Test(
    "folders of DICOM files without pixels, a duplicate image and a folder that cannot be read are reported")
  func notes() throws {
    let folder = try SampleFolder(
      "a.nii", "a.nii.gz", "series/1.dcm", "series/2.dcm", "closed/x.nii", "b.nii")
    try folder.write(String(repeating: "\0", count: 128) + "DICM", to: "plain/IM0001")
    chmod(folder("closed"), 0)
    defer { chmod(folder("closed"), 0o755) }
    var expected = [
      "2 folders of DICOM files without an image: plain (1 file), series (2 files)",
      "1 image is found twice and ignored: a.nii.gz",
    ]
    if geteuid() != 0 { expected.insert("1 folder cannot be read: closed", at: 0) }
    #expect(try folder.notes() == expected)
  }

  @Test("circular links end, and hidden, unfinished and record files are skipped")
  func oddEntries() throws {
    let folder = try SampleFolder(
      "a/x.nii", ".segdeck.host-1-2.part", ".hidden/y.nii", "segdeck-records/ann.nii", "list.records/z.nii")
    symlink(folder.path, folder("a/circle"))
    symlink("nowhere", folder("dangling"))
    symlink(folder("a"), folder("again"))
    #expect(try folder.found() == ["a: a/x.nii"])
    #expect(try folder.notes() == [])
  }

  @Test("names that are not UTF-8 or contain controls are found")
  func oddNames() throws {
    let folder = try SampleFolder("images/tab\there.nii", "labels/tab\there.nii")
    let bytes = Array((folder.path + "/images/").utf8) + [0xe9] + Array(".nii\0".utf8)
    let descriptor = bytes.withUnsafeBytes {
      open($0.baseAddress!.assumingMemoryBound(to: CChar.self), O_CREAT | O_WRONLY, 0o644)
    }
    close(descriptor)
    let cases = try Worklist.discover(folder.path).cases
    #expect(cases.map(\.name.printableLine) == ["tab here", "\\xE9"])
    #expect(cases.allSatisfy { FileSystem.exists($0.images[0]) })
  }

  @Test("a folder without images, and a path that is not a folder, are refused with one line")
  func refusals() throws {
    let folder = try SampleFolder("notes.txt")
    #expect(throws: InputError.self) { try Worklist.discover(folder("notes.txt")) }
    do {
      _ = try Worklist.discover(folder.path)
      Issue.record("found something")
    } catch {
      #expect(
        "\(error)"
          == "\(folder.path): has no image that can be read: expected NAME.nii.gz or DICOM files in it or in folders below"
      )
    }
  }

  @Test("a search is stopped between folders")
  func cancellation() throws {
    let folder = try SampleFolder("a/x.nii")
    #expect(throws: Cancelled.self) {
      try Worklist.discover(folder.path, work: WorkContext(cancellation: Cancellation(atPoll: 2)))
    }
  }

  @Test("a thousand cases are found")
  func manyCases() throws {
    let folder = try SampleFolder()
    try FileSystem.makeFolder(folder("images"))
    try FileSystem.makeFolder(folder("labels"))
    for number in 1...1000 {
      for name in ["images/case\(number)_0000.nii.gz", "labels/case\(number).nii.gz"] {
        close(FileSystem.open(folder(name), O_CREAT | O_WRONLY))
      }
    }
    #expect(try Worklist.discover(folder.path).cases.count == 1000)
  }
}
