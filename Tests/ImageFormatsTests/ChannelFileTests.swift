import Foundation
import ImageFormats
import Testing

@Suite("Files of channels")
struct ChannelFileTests {
  /// Makes files in a folder that is removed afterwards, and gives `body` its path.
  private func withFiles(_ files: [String: String], _ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder throws in
      for (name, text) in files {
        let url = folder.appending(path: name)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      try body(folder.path)
    }
  }

  @Test("a name ends with its channel of four digits, or has none")
  func parts() {
    let names = ["liver_1_0003", "a_0000", "_0000", "liver_003", "liver_12345", "liver_000x", "0000"]
    #expect(
      names.map { ChannelFiles.parts(ofStem: $0).map { "\($0.caseName) \($0.channel)" } }
        == ["liver_1 3", "a 0", nil, nil, nil, nil, nil])
    #expect(ChannelFiles.stem(ofCase: "liver_1", channel: 12) == "liver_1_0012")
  }

  @Test(
    "the channels beside the first are found in order up to the first gap, in its own format before others")
  func siblings() throws {
    let names = [
      "a_0000.nii.gz", "a_0001.nii.gz", "a_0001.mha", "a_0002.mha", "a_0004.nii.gz", "b_0001.nii.gz", "a.nii",
      "a_0003.txt",
    ]
    try withFiles(Dictionary(uniqueKeysWithValues: names.map { ($0, "") })) { folder throws in
      func found(_ name: String) throws -> [String] {
        try ChannelFiles.further(besideFirst: folder + "/" + name).map {
          String($0.dropFirst(folder.count + 1))
        }
      }
      #expect(try found("a_0000.nii.gz") == ["a_0001.nii.gz", "a_0002.mha"])
      #expect(try found("b_0000.nii.gz") == ["b_0001.nii.gz"])
      for other in ["a.nii", "a_0001.nii.gz", "c_0000.nii"] { #expect(try found(other) == []) }
    }
  }

  @Test(
    "names of channels are those of nnU-Net's dataset.json above the images or beside them, of both versions")
  func names() throws {
    let files = [
      "new/dataset.json": #"{"channel_names": {"0": "T1", "1": "FLAIR"}, "labels": {}}"#,
      "new/imagesTr/a_0000.nii": "", "old/dataset.json": #"{"modality": {"1": "T2", "0": "CT"}}"#,
      "other/dataset.json": #"{"Name": "of BIDS"}"#, "damaged/dataset.json": #"{"channel_names""#,
    ]
    try withFiles(files) { folder throws in
      func names(_ name: String) -> [String]? { ChannelFiles.names(ofImagesIn: folder + "/" + name) }
      #expect(names("new/imagesTr") == ["T1", "FLAIR"])
      #expect(names("old") == ["CT", "T2"])
      for other in ["other", "damaged", "none"] { #expect(names(other) == nil) }
    }
  }
}
