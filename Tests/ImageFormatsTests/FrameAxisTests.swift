import Foundation
import ImageFormats
import Testing
import Work

/// The axis of the frames of an image: its step, and its kind.
struct FrameAxisTests {
  /// A NIfTI image of three frames that are `step` apart in a unit of the standard's code.
  private func frames(_ step: Float, units: UInt8) throws -> Data {
    try changed(
      "plain.nii",
      [
        (40, bytes(Int16(4))), (46, bytes(Int16(1))), (48, bytes(Int16(3))), (92, bytes(step)),
        (123, [2 | units]),
      ])
  }

  /// An NRRD file of 8-bit numbers with fields beside those of every file.
  private func nrrd(sizes: [Int], _ fields: [String]) -> Data {
    let lines =
      ["NRRD0004", "type: uchar", "dimension: \(sizes.count)", "encoding: raw"]
      + ["sizes: " + sizes.map(String.init).joined(separator: " ")] + fields
    return Data((lines.joined(separator: "\n") + "\n\n").utf8) + Data(count: sizes.reduce(1, *))
  }

  private let space = ["space: left-posterior-superior", "space directions: (1,0,0) (0,1,0) (0,0,1) none"]

  @Test("the time from frame to frame goes from format to format in seconds")
  func time() throws {
    try withTemporaryFolder { folder in
      var path = folder.appending(path: "0.nii").path
      try frames(2500, units: 16).write(to: URL(filePath: path))
      for suffix in [".mha", ".mgz", ".nhdr", ".mgh", ".nrrd", ".mhd", ".nii.gz", ".nii"] {
        let image = try ImageFile.open(path)
        #expect(try image.frameStep() == .seconds(2.5), "\(path)")
        path = folder.appending(path: "a" + suffix).path
        try PendingFile.commit(image.pendingCopy(for: path))
        #expect(image.findings == [], "\(path)")
      }
      let header = try Data(contentsOf: URL(filePath: path))
      #expect(Array(header[92..<96]) == bytes(Float(2.5)) && header[123] == 2 | 8)
      let one = try ImageFile.open(path)
      try PendingFile.commit(one.pendingCopy(for: folder.appending(path: "b.mha").path, frame: 1))
      #expect(one.findings == [])
    }
  }

  @Test("a step that is not time, or none, is not taken for one")
  func otherSteps() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nii").path
      for (step, units, expected) in [
        (10, 32, .other("10 Hz")), (1, 0, nil), (3, 0, .seconds(3)), (0, 8, nil), (.nan, 8, nil),
        (1, 8, .seconds(1)),
      ] as [(Float, UInt8, FrameStep?)] {
        try frames(step, units: units).write(to: URL(filePath: path))
        #expect(try ImageFile.open(path).frameStep() == expected)
      }
      try frames(10, units: 32).write(to: URL(filePath: path))
      let image = try ImageFile.open(path)
      try PendingFile.commit(image.pendingCopy(for: folder.appending(path: "b.nii").path))
      #expect(image.findings == [])
      try PendingFile.commit(image.pendingCopy(for: folder.appending(path: "b.mha").path))
      #expect(image.findings.map(\.description) == ["the frames are 10 Hz apart; that is lost in MetaImage"])
      // Three time points of two components: five axes.
      try changed(
        "plain.nii",
        [
          (40, bytes(Int16(5))), (44, bytes(Int16(2))), (46, bytes(Int16(1))), (48, bytes(Int16(3))),
          (50, bytes(Int16(2))), (92, bytes(Float(2))), (123, [2 | 8]),
        ]
      ).write(to: URL(filePath: path))
      let five = try ImageFile.open(path)
      #expect(five.frameSizes == [3, 2])
      try PendingFile.commit(five.pendingCopy(for: folder.appending(path: "c.mgz").path))
      #expect(
        five.findings.map(\.description) == ["the frames are 2 s apart; that is lost in FreeSurfer MGH"])
    }
  }

  @Test("an NRRD axis of time states its step by its spacing and unit, or in a space with time")
  func nrrdTime() throws {
    let inTime = ["space: left-posterior-superior-time", "space units: \"mm\" \"mm\" \"mm\" \"ms\""]
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nrrd").path
      for (fields, expected) in [
        (space + ["kinds: domain domain domain time", "spacings: nan nan nan 3"], .seconds(3)),
        (space + ["spacings: nan nan nan 500", #"units: "" "" "" "ms""#], .seconds(0.5)),
        (space + ["spacings: nan nan nan 7", #"units: "" "" "" "mT""#], .other("7 mT")),
        (space + ["kinds: domain domain domain list", "spacings: nan nan nan 7"], nil),
        (inTime + ["space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,250)"], .seconds(0.25)),
      ] as [([String], FrameStep?)] {
        try nrrd(sizes: [2, 3, 4, 2], fields).write(to: URL(filePath: path))
        let image = try ImageFile.open(path)
        #expect(image.frameSizes == [2])
        #expect(try image.frameStep() == expected, "\(fields)")
      }
    }
  }

  @Test("of the kinds of NRRD axes, colours and complex numbers are refused, vectors and matrices noted")
  func kinds() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nrrd").path
      for (kind, count, refusal) in [
        ("RGB-color", 3, "colours"), ("RGBA-color", 4, "colours"), ("3-color", 3, "colours"),
        ("4-color", 4, "colours"), ("HSV-color", 3, "colours"), ("XYZ-color", 3, "colours"),
        ("complex", 2, "complex numbers"), ("2-vector", 2, nil), ("vector", 5, nil),
        ("3D-symmetric-matrix", 6, nil), ("3D-masked-matrix", 10, nil), ("3-gradient", 3, nil),
        ("quaternion", 4, nil), ("covariant-vector", 3, nil), ("point", 3, nil),
      ] as [(String, Int, String?)] {
        try nrrd(sizes: [2, 3, 4, count], space + ["kinds: domain domain domain \(kind)"])
          .write(to: URL(filePath: path))
        if let refusal {
          #expect(
            throws: InputError(
              path, "holds \(refusal), which cannot be read", found: "kind \(kind) of axis 3",
              expected: "one number for each voxel")
          ) { try ImageFile.open(path) }
        } else {
          let image = try ImageFile.open(path)
          #expect(image.frameSizes == [count])
          #expect(
            image.findings.map(\.description) == [
              "the numbers along axis 3 are of the kind \(kind); each is read as a frame of its own"
            ])
        }
      }
      for kind in ["list", "time", "???", "none"] {
        try nrrd(sizes: [2, 3, 4, 2], space + ["kinds: domain domain domain \(kind)"])
          .write(to: URL(filePath: path))
        #expect(try ImageFile.open(path).findings == [], "\(kind)")
      }
    }
  }

  @Test("NRRD spacings below 0, and axes of space without one, are repaired with a finding")
  func spacings() throws {
    let directions =
      "the directions of the axes are not stated; i is taken to run to the left, j to the back and k up, as in ITK"
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "a.nrrd").path
      for (field, spacing, findings) in [
        (
          "spacings: -2 1 3", [2, 1, 3],
          [
            "spacings is -2 along axis 0; the spacing is read as 2 in the opposite direction, as in ITK",
            directions,
          ]
        ),
        (
          "spacings: 2 1 nan", [2, 1, 1], [directions, "spacings are missing; they are read as 1 mm"]
        ),
        (
          "spacings: nan nan nan", [1, 1, 1], [directions, "spacings are missing; they are read as 1 mm"]
        ),
      ] as [(String, [Double], [String])] {
        try nrrd(sizes: [2, 3, 4], [field]).write(to: URL(filePath: path))
        let image = try ImageFile.open(path)
        #expect(image.frameSizes == [])
        #expect((0..<3).map { image.grid.spacing[$0] } == spacing)
        #expect(image.findings.map(\.description) == findings)
      }
    }
  }

  @Test("an axis whose spacing is below 0 runs in the opposite direction, as SimpleITK reads it")
  func oppositeDirections() throws {
    // SimpleITK's direction of i is -1 (LPS), which is 1 in RAS, with the origins below; it reads no spacing from mins.
    let matrix = "TransformMatrix = 1 0 0 0 1 0 0 0 1"
    let metaImage = [
      "NDims = 3", "DimSize = 2 3 4", "ElementType = MET_UCHAR", matrix, "Offset = 1 2 3",
      "ElementSpacing = -2 1 3", "ElementDataFile = LOCAL", "",
    ]
    try withTemporaryFolder { folder in
      for (name, content, origin) in [
        ("a.mha", Data(metaImage.joined(separator: "\n").utf8) + Data(count: 24), [-1, -2, 3]),
        ("a.nrrd", nrrd(sizes: [2, 3, 4], ["spacings: -2 1 3"]), [0, 0, 0]),
        ("b.nrrd", nrrd(sizes: [2, 3, 4], ["spacings: -2 1 3", "axis mins: 1 2 3"]), [0, -2.5, 4.5]),
        (
          "c.nrrd", nrrd(sizes: [2, 3, 4], ["axis mins: 5 2 3", "axis maxs: 1 5 15"]), [-4, -2.5, 4.5]
        ),
      ] as [(String, Data, [Double])] {
        let path = folder.appending(path: name).path
        try content.write(to: URL(filePath: path))
        let image = try ImageFile.open(path)
        let affine = image.grid.affine
        #expect((0..<3).map { affine.stepI[$0] } == [2, 0, 0], "\(name)")
        #expect((0..<3).map { affine.stepJ[$0] } == [0, -1, 0], "\(name)")
        #expect((0..<3).map { affine.origin[$0] } == origin, "\(name)")
        #expect(image.findings.first?.repair.contains("in the opposite direction") == true)
      }
    }
  }

  @Test("a step of one second goes through every format, and the 1 that ITK writes for none is no step")
  func oneSecond() throws {
    try withTemporaryFolder { folder in
      for (units, expected) in [(8, .seconds(1)), (0, nil)] as [(UInt8, FrameStep?)] {
        var path = folder.appending(path: "\(units).nii").path
        try frames(1, units: units).write(to: URL(filePath: path))
        for suffix in [".mha", ".mhd", ".nrrd", ".mgz", ".nii"] {
          let image = try ImageFile.open(path)
          #expect(try image.frameStep() == expected, "\(path)")
          path = folder.appending(path: "a\(units)" + suffix).path
          try PendingFile.commit(image.pendingCopy(for: path))
        }
        #expect(try ImageFile.open(path).frameStep() == expected)
      }
    }
  }
}
