import Foundation
import ImageFormats
import Testing
import Volumes
import Work

@Suite("Text headers")
struct TextHeaderTests {
  /// The grid of an NRRD file of 2 x 2 x 2 voxels with these fields, or the line that refuses it.
  private func read(_ fields: [String], sizes: [Int] = [2, 2, 2]) throws -> String {
    let lines =
      ["NRRD0004", "type: uchar", "dimension: \(sizes.count)", "encoding: raw"]
      + ["sizes: " + sizes.map(String.init).joined(separator: " ")] + fields
    return try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.nrrd")
      try (Data((lines.joined(separator: "\n") + "\n\n").utf8) + Data(count: sizes.reduce(1, *))).write(
        to: file)
      return refusal(below: folder) { _ = try ImageFile.open(file.path).scalarVolume() }
    }
  }

  @Test("vectors of NRRD have as many numbers as the space has dimensions, and each has a direction")
  func vectors() throws {
    let lps = "space: left-posterior-superior"
    let whole = "space directions: (1,0,0) (0,1,0) (0,0,1)"
    #expect(try read([lps, whole, "space origin: (1,2,3)"]) == "accepted")
    #expect(try read(["space dimension: 3", whole]) == "accepted")
    #expect(try read([whole]) == "accepted")
    #expect(try read([lps, whole + " none"], sizes: [2, 2, 2, 3]) == "accepted")
    #expect(try read([lps, whole + " (nan,nan,nan)"], sizes: [2, 2, 2, 3]) == "accepted")
    #expect(try read(["space dimension: 2", "space directions: (1,0) (0,1)"], sizes: [2, 2]) == "accepted")
    func refused(
      _ fields: [String], sizes: [Int] = [2, 2, 2], _ field: String, _ value: String, _ expected: String
    )
      throws
    {
      #expect(
        try read(fields, sizes: sizes)
          == "a.nrrd: \(field) is wrong: found \"\(value)\", expected \(expected)")
    }
    for vectors in ["(1,0) (0,1,0) (0,0,1)", "(1,0) (0,1) (0,0)", "(1,0,0,0) (0,1,0,0) (0,0,1,0)"] {
      try refused(
        [lps, "space directions: " + vectors], "space directions (line 7)", vectors, "(x,y,z)")
    }
    let uneven = "(1,0,0) (0,1) (0,0,1)"
    try refused(["space directions: " + uneven], "space directions (line 6)", uneven, "(x,y,z)")
    let inTime = "space: left-posterior-superior-time"
    let spatial = "(1,0,0) (0,1,0) (0,0,1)"
    try refused(
      [inTime, "space directions: " + spatial], "space directions (line 7)", spatial, "(x,y,z,t)")
    for origin in ["(1,2)", "(1,2,3,4)", "(1)"] {
      try refused(
        [lps, whole, "space origin: " + origin], "space origin (line 8)", origin, "(x,y,z)")
    }
    try refused([whole, "space origin: (1,2)"], "space origin (line 7)", "(1,2)", "(x,y,z)")
    for vectors in ["(1,0,0) (0,1,0) (0,0,0)", "(0,0,0) (0,1,0) (0,0,1)"] {
      try refused(
        [lps, "space directions: " + vectors], "space directions (line 7)", vectors,
        "a step along each axis, or none for an axis of frames")
    }
  }

  @Test(
    "names of MetaImage fields in other capital and small letters are a finding, because ITK ignores them")
  func spellings() throws {
    func findings(_ offset: String, _ spacing: String) throws -> [String] {
      try withTemporaryFolder { folder in
        let file = folder.appending(path: "a.mha")
        let header =
          "ObjectType = Image\nNDims = 3\n\(offset) = 5 6 7\n\(spacing) = 1 2 3\nDimSize = 1 1 1\n"
          + "ElementType = MET_UCHAR\nElementDataFile = LOCAL\nA"
        try Data(header.utf8).write(to: file)
        let image = try ImageFile.open(file.path)
        #expect(image.grid.affine.origin == WorldPoint(-5, -6, 7) && image.grid.spacing[2] == 3)
        return image.findings.map(\.description)
      }
    }
    for offset in ["Offset", "Position", "Origin"] {
      let found = try findings(offset, "ElementSpacing")
      #expect(found == [])
    }
    let found = try findings("offset", "elementSpacing")
    #expect(
      found == [
        "the header has offset for Offset, elementSpacing for ElementSpacing; read as meant; ITK and 3D Slicer ignore "
          + "other capital and small letters, or refuse the file"
      ])
  }

  @Test("a pattern may leave out its numbers, and a list may say 2D, as in MetaImage's documentation")
  func patterns() throws {
    try withTemporaryFolder { folder in
      for number in 1...3 {
        try Data([UInt8(number), UInt8(10 * number)]).write(to: folder.appending(path: "s\(number).raw"))
      }
      let file = folder.appending(path: "a.mhd")
      func voxels(_ files: String, slices: Int = 3) throws -> [Float] {
        let header =
          "NDims = 3\nDimSize = 2 1 \(slices)\nElementSpacing = 1 1 1\nElementType = MET_UCHAR\n"
          + "ElementDataFile = \(files)\n"
        try Data(header.utf8).write(to: file)
        return try Array(ImageFile.open(file.path).scalarVolume().voxels)
      }
      let list = "\ns1.raw\ns2.raw\ns3.raw"
      for files in [
        "s%d.raw", "s%d.raw 1", "s%d.raw 1 3", "s%d.raw 1 3 1", "LIST" + list, "LIST 2" + list,
        "LIST 2D" + list, "list 2d" + list,
      ] {
        #expect(try voxels(files) == [1, 10, 2, 20, 3, 30])
      }
      #expect(try voxels("s%d.raw 2", slices: 2) == [2, 20, 3, 30])
      #expect(try voxels("s%d.raw 1 3 2", slices: 2) == [1, 10, 3, 30])
      #expect(
        refusal(below: folder) { _ = try voxels("s%d.raw 1 2") }
          == "a.mhd: names files by numbers that do not fit its size: found 1 to 2 by 1, expected 3 files")
      #expect(
        refusal(below: folder) { _ = try voxels("s%d.raw 1 3 1 1") }
          == "a.mhd: ElementDataFile (line 5) is wrong: found \"s%d.raw 1 3 1 1\", "
          + "expected a pattern with first, last and step")
      #expect(
        refusal(below: folder) { _ = try voxels("LIST D") }
          == "a.mhd: ElementDataFile (line 5) is wrong: found \"\", expected a whole number from 1 to 3")
    }
  }

  @Test("a header of more lines than any image has is refused, whatever they say")
  func manyLines() throws {
    try withTemporaryFolder { folder in
      let file = folder.appending(path: "a.mha")
      try Data(String(repeating: "NDims = 3\n", count: 5000).utf8).write(to: file)
      #expect(
        refusal(below: folder) { _ = try ImageFile.open(file.path) }
          == "a.mha: the header is too long: found no ElementDataFile within 4096 lines")
      let list = folder.appending(path: "b.mhd")
      let header = "NDims = 3\nDimSize = 1 1 1\nElementType = MET_UCHAR\nElementDataFile = LIST\n"
      try Data((header + String(repeating: "\n", count: 1 << 20)).utf8).write(to: list)
      let expected = "the header is too long: found no end within 1048576 lines"
      #expect(refusal(below: folder) { _ = try ImageFile.open(list.path) } == "b.mhd: " + expected)
      for line in ["#", "a:=b"] {
        let other = folder.appending(path: "c.nrrd")
        try Data(("NRRD0004\n" + String(repeating: line + "\n", count: 1 << 20)).utf8).write(to: other)
        #expect(refusal(below: folder) { _ = try ImageFile.open(other.path) } == "c.nrrd: " + expected)
      }
    }
  }

  @Test("a name that a header cannot state is refused, and what is written under any other is read back")
  func names() throws {
    let image = try ImageFile.open(fixture("plain.nii"))
    let voxels = try image.scalarVolume().voxels
    try withTemporaryFolder { folder in
      for suffix in [".mhd", ".nhdr"] {
        for name in [
          " a", "\ta", "\u{a0}a", "LIST", "LIST 2", "list", "Listing", "~a", "a%03d", "a\nb", "a\u{1}",
        ] {
          let path = folder.appending(path: name + suffix).path
          #expect(
            refusal { try PendingFile.commit(image.pendingCopy(for: path)) }
              == InputError(
                path, "has a name that its header cannot state",
                expected: "a name without % that does not begin with a blank, ~ or LIST"
              ).description)
        }
        #expect(folderNames(folder) == [])
        for name in ["a ", "LOCAL", "local", "a  b", "a:b", "a=b", "#a", "\"a\"", "ä", "none", "a LIST"] {
          let path = folder.appending(path: name + suffix).path
          try PendingFile.commit(image.pendingCopy(for: path))
          #expect(try ImageFile.open(path).scalarVolume().voxels == voxels, "\(path)")
          for written in folderNames(folder) {
            try FileManager.default.removeItem(at: folder.appending(path: written))
          }
        }
      }
    }
  }
}
