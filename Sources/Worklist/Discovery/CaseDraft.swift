import Work

/// A case whose masks are not all known yet.
struct CaseDraft {
  /// The name, and a longer one that is used where another case has the same name.
  var name: String
  var longName: String
  var images: [FoundFile]
  /// Other names by which masks may refer to the case: the name without a channel, the name of the case's folder.
  var otherKeys: [String] = []
  var masks: [WorklistCase.Mask] = []
  var probabilities: [String] = []

  /// Adds a mask under a name that the case does not have yet.
  mutating func add(mask path: String, called name: String) {
    var unique = name.isEmpty ? "mask" : name
    var number = 2
    while masks.contains(where: { $0.name == unique }) {
      unique = "\(name) \(number)"
      number += 1
    }
    masks.append(.init(name: unique, path: path))
  }

  /// The masks in the order of their names.
  func sortedMasks(_ order: (String) -> Int) -> [WorklistCase.Mask] {
    masks.sorted { order($0.name) < order($1.name) }
  }
}

/// An index of cases by the names that their masks may have.
struct CaseIndex {
  /// A case, or several that match equally well; `rank` is lower for a better match.
  struct Match {
    var cases: [Int]
    var rank: Int
  }

  /// The rank of a mask whose name equals that of an image after words for masks and modalities are removed.
  static let subjectRank = 2

  private let folders: [String]
  /// Cases by whole names, by names without words for modalities, and by prefixes of both.
  private var whole: [String: [Int]] = [:]
  private var subjects: [String: [Int]] = [:]
  private var prefixes: [String: [Int]] = [:]

  init(_ drafts: some Sequence<CaseDraft>) {
    var folders: [String] = []
    for (index, draft) in drafts.enumerated() {
      folders.append(FilePath.name(of: FilePath.folder(of: draft.images.first?.path ?? "")))
      for stem in draft.images.map(\.stem) + draft.otherKeys { Self.add(index, stem, to: &whole) }
      for subject in draft.images.map(\.role.subject) { Self.add(index, subject, to: &subjects) }
    }
    self.folders = folders
    for (key, cases) in whole.merging(subjects, uniquingKeysWith: { Array(Set($0 + $1)).sorted() }) {
      for prefix in NameParts(key).prefixes.dropFirst() {
        prefixes[prefix, default: []] += cases
      }
    }
  }

  private static func add(_ index: Int, _ name: String, to table: inout [String: [Int]]) {
    let key = key(name)
    if !key.isEmpty, table[key]?.last != index { table[key, default: []].append(index) }
  }

  private static func key(_ name: String) -> String { NameParts(name).words.joined(separator: "_") }

  /// The case that a mask belongs to by its name: the case of the same name, else of the same name without words for
  /// masks and modalities, else the case with the longest common prefix of whole words (separated by "_", "-", "." or a
  /// blank).
  func match(_ file: FoundFile) -> Match? {
    let (stem, role) = (Self.key(file.stem), file.role)
    let subjects = [role.subject, role.trailingSubject ?? ""].map(Self.key).filter { !$0.isEmpty }
    // A file that is only called "mask" is matched by the name of its folder.
    let folder = FilePath.folder(of: file.path)
    let folderKeys =
      subjects.isEmpty
      ? [folder, FilePath.folder(of: folder)].map { Self.key(FilePath.name(of: $0)) } : []
    func first(_ keys: [String], _ table: [String: [Int]], _ rank: Int) -> Match? {
      keys.lazy.compactMap { table[$0] }.first.map { Match(cases: nearest($0, to: file), rank: rank) }
    }
    let shortened = NameParts(subjects.first ?? stem).prefixes
    return first([stem], whole, 0) ?? first(subjects, whole, 1)
      ?? first(subjects, self.subjects, Self.subjectRank)
      ?? first(folderKeys, whole, Self.subjectRank) ?? first(folderKeys, self.subjects, Self.subjectRank)
      ?? first(shortened, whole, 3) ?? first(shortened, self.subjects, 3)
      ?? first(subjects.isEmpty ? [stem] : subjects, prefixes, 4)
  }

  /// Whether this is the name of a case or of one of its images, with or without words for modalities.
  func hasCase(_ name: String) -> Bool {
    let key = Self.key(name)
    return whole[key] != nil || subjects[key] != nil
  }

  /// The cases in a folder with the same name as the mask's folder; else those in a folder of the same split of the
  /// data set ("labelsTr" and "imagesTr"); else all cases.
  private func nearest(_ cases: [Int], to file: FoundFile) -> [Int] {
    let unique = Array(Set(cases)).sorted()
    guard unique.count > 1 else { return unique }
    let folder = FilePath.name(of: FilePath.folder(of: file.path))
    let near = unique.filter { folders[$0] == folder }
    if !near.isEmpty { return near }
    guard let split = FolderKind(besideImages: folder)?.split else { return unique }
    let part = unique.filter { FolderKind(folders[$0])?.split == split }
    return part.isEmpty ? unique : part
  }
}
