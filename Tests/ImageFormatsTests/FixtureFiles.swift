import Foundation
import TestSupport
import Volumes

/// The folder of the small image files.
let fixtures = checkout.appending(path: "Tests/ImageFormatsTests/Fixtures")

/// The path of one of them.
func fixture(_ name: String) -> String { fixtures.appending(path: name).path }

/// What nibabel or SimpleITK finds in a file.
struct ExpectedImage: Decodable, Sendable {
  var size: [Int]
  var frames: [Int]
  var type: String
  var affine: [[Double]]
  var values: [Double]

  /// Every good file by its name below ``fixtures``.
  static let all = described(in: "expected.json").merging(described(in: "expected_itk.json")) { one, _ in one
  }

  private static func described(in name: String) -> [String: ExpectedImage] {
    guard let data = try? Data(contentsOf: fixtures.appending(path: name)),
      let decoded = try? JSONDecoder().decode([String: ExpectedImage].self, from: data)
    else { preconditionFailure("Fixtures/\(name) cannot be read") }
    return decoded
  }
}

/// The rows of an affine, for comparison with what Python wrote.
func rows(_ affine: Affine) -> [[Double]] {
  (0..<3).map { [affine.stepI[$0], affine.stepJ[$0], affine.stepK[$0], affine.origin[$0]] }
}

/// The largest difference between two affines.
func largestDifference(_ affine: Affine, _ expected: [[Double]]) -> Double {
  zip(rows(affine).joined(), expected.prefix(3).joined()).map { abs($0 - $1) }.max() ?? .infinity
}

/// Runs `body` with the path of a new folder that is removed afterwards.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(path: "segdeck-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The names of the files in a folder, ascending.
func folderNames(_ folder: URL) -> [String] {
  ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
}

/// The bytes of a fixture, some of them replaced.
func changed(_ name: String, _ changes: [(at: Int, bytes: [UInt8])]) throws -> Data {
  var data = try Data(contentsOf: URL(filePath: fixture(name)))
  for (position, bytes) in changes { data.replaceSubrange(position..<position + bytes.count, with: bytes) }
  return data
}

func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

func bytes(_ value: Float) -> [UInt8] { bytes(value.bitPattern) }
