import Foundation
import ImageFormats
import TestSupport
import Testing
import Volumes
import Work

/// The grid of the archives: 4 x 3 x 2 voxels.
private let smallGrid = VolumeGrid(size: GridSize(4, 3, 2), affine: Affine(spacing: Spacing(1)))

/// The probabilities of some classes, class by class.
private func probabilities(_ path: String, _ classes: Range<Int>? = nil) throws -> [[Float]] {
  let file = try ProbabilityFile(path, on: smallGrid)
  var values = [[Float]](repeating: [Float](repeating: -1, count: 24), count: file.classCount)
  try file.read(classes: classes ?? 0..<file.classCount, work: WorkContext()) { part, index, first in
    for offset in part.indices { values[index][first + offset] = part[offset] }
  }
  return values
}

/// What a file is refused with, without the path.
private func openingRefusal(_ path: String) -> String {
  do {
    _ = try probabilities(path)
    return "nothing"
  } catch {
    return "\(error)".replacing(FilePath.folder(of: path) + "/", with: "")
  }
}

@Suite("Files of class probabilities")
struct ProbabilityFileTests {
  private let expected = [(0..<24).map { 1 - Float($0) / 32 }, (0..<24).map { Float($0) / 32 }]

  @Test(
    "archives of nnU-Net are read: deflated and stored, half, single and double numbers, both byte orders",
    arguments: ["probabilities.npz", "softmax_half.npz", "probabilities_big_endian.npz"])
  func archives(name: String) throws {
    #expect(try probabilities(fixture(name)) == expected)
    let second = try probabilities(fixture(name), 1..<2)
    #expect(second == [[Float](repeating: -1, count: 24), expected[1]])
  }

  @Test("a whole file is one volume, and values that are no probabilities are refused with their voxel")
  func volumes() throws {
    let file = try ProbabilityFile(fixture("probabilities.npz"), on: smallGrid)
    let volume = try file.volume(on: smallGrid, work: WorkContext())
    #expect(
      volume == ProbabilityVolume(grid: smallGrid, classCount: 2, values: expected.flatMap(\.self)))
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "p.nii").path
      var other = volume
      other.values[5] = 2
      try other.write(to: path, source: ImageSource(grid: smallGrid))
      #expect {
        _ = try ProbabilityFile(path, on: smallGrid).volume(on: smallGrid, work: WorkContext())
      } throws: {
        "\($0)".hasSuffix(
          "voxel (1, 1, 0) has no class probabilities: found 2.0, 0.15625, "
            + "expected values from 0 to 1 that add up to 1")
      }
    }
  }

  @Test("a 4D image is read frame by frame, as archives are")
  func image() throws {
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "p.nii.gz").path
      let volume = ProbabilityVolume(grid: smallGrid, classCount: 2, values: expected.flatMap(\.self))
      try volume.write(to: path, source: ImageSource(grid: smallGrid))
      #expect(try probabilities(path) == expected)
      #expect(try probabilities(path, 1..<2)[1] == expected[1])
    }
  }

  @Test(
    "what holds no probabilities of the image is refused with one line",
    arguments: [
      "bad_fortran.npz: probabilities is stored in Fortran order: expected C order",
      "bad_integers.npz: probabilities holds no real numbers: found |u1, expected f2, f4 or f8",
      "bad_names.npz: holds no probabilities: found first, second, expected an array called probabilities or softmax",
      "nowhere.npz: cannot be opened: found No such file or directory",
      "plain.nii: does not fit the image: other dimensions: found 5x4x3, expected 4x3x2",
    ])
  func refusals(line: String) {
    #expect(openingRefusal(fixture(String(line.prefix { $0 != ":" }))) == line)
  }

  @Test("an archive of another size says both")
  func otherSize() {
    let grid = VolumeGrid(size: GridSize(2, 3, 4), affine: Affine(spacing: Spacing(1)))
    #expect {
      _ = try ProbabilityFile(fixture("probabilities.npz"), on: grid)
    } throws: {
      "\($0)".hasSuffix(
        "probabilities does not fit the image: found 2 x 2 x 3 x 4, expected classes x 4 x 3 x 2 (k, j, i)")
    }
  }

  @Test(
    "an archive that is cut off anywhere, or has other bytes, is refused or read and never traps",
    arguments: ["probabilities.npz", "softmax_half.npz"])
  func damage(name: String) throws {
    let whole = try Data(contentsOf: URL(filePath: fixture(name)))
    var generator = SplitMix64(seed: 5)
    var refused = 0
    try withTemporaryFolder { folder in
      let path = folder.appending(path: name).path
      for count in 0..<whole.count {
        try whole.prefix(count).write(to: URL(filePath: path))
        #expect(throws: InputError.self, "cut at byte \(count)") { try probabilities(path) }
      }
      for _ in 0..<2000 {
        var changed = whole
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          changed[Int.random(in: 0..<whole.count, using: &generator)] = .random(
            in: 0...255, using: &generator)
        }
        try changed.write(to: URL(filePath: path))
        do { _ = try probabilities(path) } catch is InputError { refused += 1 }
      }
    }
    #expect(refused > 300)
  }

  @Test("a changed number is found by its checksum")
  func checksum() throws {
    var bytes = try Data(contentsOf: URL(filePath: fixture("softmax_half.npz")))
    // The last number of the first array, which is stored.
    let next = try #require(bytes.range(of: Data([0x50, 0x4b, 3, 4]), in: 4..<bytes.count)).lowerBound
    bytes[next - 1] ^= 1
    try withTemporaryFolder { folder in
      let path = folder.appending(path: "changed.npz").path
      try bytes.write(to: URL(filePath: path))
      #expect(openingRefusal(path) == "changed.npz: softmax.npy is damaged: found another checksum")
    }
  }
}
