import Foundation
import ImageFormats
import Review
import TestSupport
import Testing
import Volumes
import Work
import segdeck

/// The path of one of the small image files.
private func fixture(_ name: String) -> String {
  checkout.appending(path: "Tests/ImageFormatsTests/Fixtures/" + name).path
}

/// Calls `body` with the path of a new folder that is removed afterwards.
private func withFolder(_ body: (URL) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "segdeck-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}

/// What the program reads of files that are not open.
@Suite struct FilePreviewTests {
  @Test(
    "the preview of an image is its middle axial slice with the window that a review opens it with",
    arguments: ["plain.nii", "gzip.nii.gz", "NRRD/raw.nrrd", "DICOM/explicit", "DICOM/explicit/00.dcm"])
  func slices(name: String) throws {
    let preview = try #require(try FilePreview(of: fixture(name), work: WorkContext()))
    let image = try ImageFile.open(fixture(name)).scalarVolume()
    let size = image.grid.size
    let axis = image.grid.orientation.sliceAxis(of: .axial)
    #expect(preview.sliceAxis == axis)
    #expect(preview.window == IntensitySummary(image).openingPreset.window)
    #expect(preview.summary.hasPrefix("\(size), "))
    let voxels = (0..<size.voxelCount).filter { size.index(offset: $0)[axis] == size[axis] / 2 }
    #expect(Array(preview.slice.voxels) == voxels.map { image.voxels[$0] })
    #expect((0..<3).map { preview.slice.grid.size[$0] } == (0..<3).map { $0 == axis ? 1 : size[$0] })
  }

  @Test("the preview of an image of sagittal slices is axial too, of one slice that slice")
  func planes() throws {
    try withFolder { folder in
      // j runs to the left, k to the back, i to the feet.
      let affine = Affine(
        stepI: WorldPoint(0, 0, -1), stepJ: WorldPoint(-2, 0, 0), stepK: WorldPoint(0, -3, 0),
        origin: WorldPoint(0, 0, 0))
      for (size, axis) in [
        (GridSize(4, 3, 5), 0), (GridSize(4, 3, 1), 2), (GridSize(4, 1, 5), 1), (GridSize(1, 3, 5), 0),
      ] {
        let grid = VolumeGrid(size: size, affine: affine)
        let volume = ScalarVolume(grid: grid, voxels: (0..<size.voxelCount).map { Float($0) })
        let path = folder.appending(path: "a.nii").path
        try volume.write(to: path, source: ImageSource(grid: grid))
        let preview = try #require(try FilePreview(of: path, work: WorkContext()))
        #expect(preview.sliceAxis == axis)
        let voxels = (0..<size.voxelCount).filter { size.index(offset: $0)[axis] == size[axis] / 2 }
        #expect(Array(preview.slice.voxels) == voxels.map { Float($0) })
      }
    }
  }

  @Test("a folder without DICOM files has no preview, and what cannot be read says why in one line")
  func refusals() throws {
    #expect(try FilePreview(of: fixture("NRRD"), work: WorkContext()) == nil)
    func refusal(_ name: String) -> String {
      do {
        _ = try FilePreview(of: fixture(name), work: WorkContext())
        return "read"
      } catch { return "\(error)".replacing(fixture(name), with: name) }
    }
    #expect(
      refusal("bad_short_voxels.nii").hasPrefix(
        "bad_short_voxels.nii: holds fewer voxels than its header states"))
    #expect(refusal("DICOM/two_series").hasPrefix("DICOM/two_series: holds 2 series: found 1: CT"))
    #expect(refusal("missing.nii").contains("cannot be opened"))
  }

  @Test("what is only previewed or listed may be written over, what is open may not")
  func outputs() throws {
    try withFolder { folder in
      let path = folder.appending(path: "a.nii").path
      for read in [
        { _ = try FilePreview(of: path, work: WorkContext()) },
        { _ = try FolderEntry.summary(of: path, WorkContext()) },
      ] {
        try FileManager.default.copyItem(atPath: fixture("plain.nii"), toPath: path)
        try read()
        try AtomicFile.write(Data([1]), to: path)
        try FileManager.default.removeItem(atPath: path)
      }
    }
  }

  @Test(
    "the names of a folder are listed without reading a file; its images and folders say later what they are")
  func names() throws {
    try withFolder { folder in
      for (name, copy) in [
        ("DICOM/explicit", "ct"), ("plain.nii", "a.nii"), ("bad_magic.nii", "b.nii"),
        ("four_axes.nii.gz", "c.nii.gz"),
      ] {
        try FileManager.default.copyItem(
          atPath: fixture(name), toPath: folder.appending(path: copy).path)
      }
      try FileManager.default.createDirectory(
        at: folder.appending(path: "empty"), withIntermediateDirectories: false)
      let entries = try [FolderEntry](namesIn: folder.path, .images, WorkContext())
      #expect(
        entries == [
          FolderEntry("a.nii", summary: nil), FolderEntry("b.nii", summary: nil),
          FolderEntry("c.nii.gz", summary: nil), FolderEntry("ct", isFolder: true, summary: nil),
          FolderEntry("empty", isFolder: true, summary: nil),
        ])
      let summaries = try entries.map {
        try FolderEntry.summary(of: folder.appending(path: $0.name).path, WorkContext())
      }
      #expect(
        summaries == [
          "5x4x3, 1 kB", "magic (byte 344) is wrong", "5x4x3, 3 frames, 1 kB", "4 DICOM files, 5 kB", "",
        ])
      let all = try [FolderEntry](namesIn: folder.path, .all, WorkContext())
      #expect(all.allSatisfy { $0.summary == "" })
    }
  }

  @Test("a folder lists its series by their numbers, a segmentation its segments and layers")
  func parts() throws {
    func parts(_ kind: FilePart.Kind, _ name: String) throws -> [FilePart] {
      try [FilePart](kind, of: fixture(name), WorkContext())
    }
    let series = try parts(.series, "DICOM/two_series")
    #expect(series.map(\.number) == [1, 2])
    #expect(series.allSatisfy { $0.summary.hasPrefix("CT, Phantom, ") })
    let listed = try [FolderEntry](namesIn: fixture("DICOM/two_series"), .images, WorkContext())
    #expect(
      zip(listed, series).map { $0.summary?.hasPrefix("series \($1.number): \($1.summary), ") } == [
        true, true,
      ])
    #expect(
      try parts(.segment, "NRRD/overlapping.seg.nrrd") == [FilePart(1, "liver"), FilePart(2, "lesion")])
    #expect(try parts(.layer, "NRRD/overlapping.seg.nrrd") == [FilePart(0, "liver"), FilePart(1, "lesion")])
    #expect(try parts(.segment, "DICOM/segmentation/overlapping.dcm").count > 1)
    #expect(try parts(.series, "plain.nii") == [] && parts(.segment, "plain.nii") == [])
    #expect(throws: InputError.self) { try parts(.segment, "missing.nii") }
  }

  @Test("errors about a file that was typed after a command name the words of commands")
  func wordsOfCommands() throws {
    func refusal(_ name: String, _ options: ImageReadingOptions) -> String? {
      do {
        _ = try ImageFile.open(fixture(name), options: options).labelVolume()
        return nil
      } catch { return (error as? InputError)?.inWordsOfCommands.description }
    }
    #expect(
      refusal("DICOM/two_series", ImageReadingOptions())?.hasSuffix(
        "expected series NUMBER, or the path of a file of one") == true)
    #expect(
      refusal("NRRD/overlapping.seg.nrrd", ImageReadingOptions())?.hasSuffix(
        "its segments overlap: found liver and lesion, expected one of them, with segment NAME or layer 0 to 1"
      )
        == true)
    #expect(
      refusal("NRRD/overlapping.seg.nrrd", ImageReadingOptions(segment: "x"))?.hasSuffix(
        "has no such segment: found segment x, expected 1 liver, 2 lesion") == true)
  }

  @Test("reading a preview or a summary stops at any poll")
  func stops() throws {
    for name in ["gzip.nii.gz", "DICOM/explicit"] {
      try expectStops(atEachOf: 1) { work in _ = try FilePreview(of: fixture(name), work: work) }
      try expectStops(atEachOf: 1) { work in _ = try FolderEntry.summary(of: fixture(name), work) }
    }
  }
}
