import Foundation

/// Three phantoms with labels, and a folder of masks of two of them, one of which is another case's.
struct PhantomCases {
  private static let files = Result { () throws -> [String: Data] in
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try folder.make("images", "labels", "net")
    for number in [1, 2, 10] {
      try succeed(
        [
          "phantom", "mr", "--seed", "\(number)", "--size", "20x20x12", "--spacing", "6", "-o",
          "images/case\(number).nii", "--labels", "labels/case\(number).nii",
        ], in: folder.path)
    }
    try folder.bytes("labels/case1.nii").write(to: URL(filePath: folder("net/case1.nii")))
    try folder.bytes("labels/case10.nii").write(to: URL(filePath: folder("net/case2.nii")))
    return try folder.contents().filter { !$0.value.isEmpty }
  }

  /// The folder of the test, which holds `net`, and `images` and `labels` in itself or in a folder of their own.
  let folder: TemporaryFolder

  /// Copies the cases; they are generated once.
  init(in subfolder: String? = nil) throws {
    folder = try TemporaryFolder()
    let cases = subfolder.map { $0 + "/" } ?? ""
    if let subfolder { try folder.make(subfolder) }
    try folder.make(cases + "images", cases + "labels", "net", "state", "cache")
    for (name, content) in try Self.files.get() {
      let path = name.hasPrefix("net/") ? name : cases + name
      try content.write(to: URL(filePath: folder(path)))
    }
  }

  /// Runs segdeck in the folder, with records and measures of its own.
  func call(_ words: [String]) throws -> CommandOutcome {
    try segdeck(
      words, in: folder.path,
      environment: ["XDG_STATE_HOME": folder("state"), "XDG_CACHE_HOME": folder("cache")])
  }
}
