import Work

/// The image series in the folders below a folder, as the list shows them when the folder itself is opened.
struct DicomSubfolders {
  /// A series in one folder, or one whose files are divided among several.
  struct Image {
    /// "study/2: CT, Phantom, 24 files, 512x512x24, IM0001".
    let line: String
    let seriesInstanceUID: String
    let isDivided: Bool
    /// Its files; nil where there are too many to keep.
    let content: DicomFolder?
  }

  let images: [Image]

  /// A line for each image, numbered where the files of one are divided, so that no folder chooses it; the last line counts
  /// what is left out.
  var lines: [String] {
    var lines = images.enumerated().map { hasDividedImages ? "\($0 + 1): \($1.line)" : $1.line }
    if lines.count > Self.maximumLineCount { lines[Self.maximumLineCount...] = ["and more"] }
    return lines
  }

  /// Whether the files of an image are divided among several folders.
  var hasDividedImages: Bool { images.contains(where: \.isDivided) }

  /// The files of the only image below the folder, where they are divided among several folders; nil for any other images.
  var dividedImage: DicomFolder? { images.count == 1 && hasDividedImages ? images[0].content : nil }

  private static let maximumLineCount = 500

  /// Searches the folders below `path`; those that cannot be read are skipped.
  /// - Throws: ``InputError`` when one has too many files; ``Cancelled``.
  init(_ path: String) throws {
    var search = SubfolderSearch()
    try search.search(path, name: "", depth: 0)
    let parts = search.parts
    var images: [Image] = []
    let ofUID = Dictionary(grouping: parts.indices) { parts[$0].seriesInstanceUID }
    let wholes = ofUID.compactMapValues { own in
      own.count > 1 && search.isComplete ? Self.whole(own.map { parts[$0] }, path: path) : nil
    }
    for (index, part) in parts.enumerated() {
      let uid = part.seriesInstanceUID
      guard let whole = wholes[uid], let own = ofUID[uid] else {
        let content = part.content.map {
          DicomFolder(path: path, instances: $0.series.instances, damaged: $0.damaged)
        }
        images.append(
          Image(
            line: "\(part.folderName): \(part.summary)", seriesInstanceUID: uid, isDivided: false,
            content: content))
        continue
      }
      // The whole series stands where its first part is.
      guard index == own[0] else { continue }
      let names = own.map { parts[$0].folderName }.joined(separator: ", ")
      images.append(
        Image(
          line: "\(names): \(whole.imageSeries[0].summary)", seriesInstanceUID: uid, isDivided: true,
          content: whole))
    }
    self.images = images
  }

  /// The files of the only image below a folder, where they are divided among several folders; nil for any other images,
  /// and where they cannot be read.
  /// - Throws: ``Cancelled``.
  static func dividedImage(below path: String) throws(Cancelled) -> DicomFolder? {
    do { return try DicomSubfolders(path).dividedImage } catch let cancelled as Cancelled {
      throw cancelled
    } catch { return nil }
  }

  /// The files of parts of one series in different folders, where together they are one image.
  private static func whole(_ parts: [SeriesPart], path: String) -> DicomFolder? {
    let contents = parts.compactMap(\.content)
    guard contents.count == parts.count, Set(parts.map(\.folderName)).count == parts.count else { return nil }
    return DicomFolder(
      path: path, joining: contents.map(\.series), damaged: contents.flatMap(\.damaged))
  }
}

/// The files of one series in one folder.
private struct SeriesPart {
  var folderName, seriesInstanceUID, summary: String
  /// Its slices, and the damaged files of the folder; nil where there are too many to keep.
  var content: (series: DicomSeries, damaged: [DicomFolder.DamagedFile])?
}

/// A search through the folders below a folder.
private struct SubfolderSearch {
  private(set) var parts: [SeriesPart] = []
  /// Whether every folder was read.
  private(set) var isComplete = true
  private var folderCount = 0
  private var keptFileCount = 0

  // A whole disk may be given by mistake.
  private static let maximumNesting = 4
  private static let maximumFolderCount = 2000
  private static let maximumPartCount = 2000
  /// Some ten megabytes of attributes.
  private static let maximumKeptFileCount = 10_000

  mutating func search(_ path: String, name: String, depth: Int) throws {
    guard let entries = try? FileSystem.names(in: path) else {
      isComplete = false
      return
    }
    for entry in entries.naturallySorted(by: \.self) where !entry.hasPrefix(".") {
      let folder = FilePath.joined(path, entry)
      guard FileSystem.isFolder(folder) else { continue }
      guard depth < Self.maximumNesting, parts.count < Self.maximumPartCount,
        folderCount < Self.maximumFolderCount
      else {
        isComplete = false
        return
      }
      folderCount += 1
      let ownName = FilePath.joined(name, entry)
      if DicomListing.holdsDICOM(folder: folder) { add(try DicomFolder(folder), called: ownName) }
      try search(folder, name: ownName, depth: depth + 1)
    }
  }

  private mutating func add(_ folder: DicomFolder, called name: String) {
    keptFileCount += folder.instances.count
    if keptFileCount > Self.maximumKeptFileCount {
      isComplete = false
      for index in parts.indices { parts[index].content = nil }
    }
    parts += folder.imageSeries.map {
      SeriesPart(
        folderName: name, seriesInstanceUID: $0.first.seriesInstanceUID, summary: $0.summary,
        content: isComplete ? ($0, folder.damaged) : nil)
    }
  }
}

extension DicomFolder {
  /// The files of parts of one series, where together they are one image of which every part has slices of its own; nil
  /// for other parts, as copies of a series are, those of two patients, and what programs make of a series without giving it another UID.
  /// - Parameter damaged: Damaged files of the parts' folders, of this series or of unknown ones or of others.
  init?(path: String, joining parts: [DicomSeries], damaged: [DamagedFile] = []) {
    let instances = parts.flatMap(\.instances)
    let uids = Set(instances.map(\.sopInstanceUID))
    let uid = parts[0].first.seriesInstanceUID
    guard !uid.isEmpty, !uids.contains(""), uids.count == instances.count else { return nil }
    // Positions in another frame of reference say nothing, and a UID that is given to two patients joins nobody.
    guard Set(instances.map { [$0.patientID, $0.frameOfReferenceUID] }).count == 1 else { return nil }
    let positions = parts.map { part in Set(part.slices.compactMap { part.frame($0).position }) }
    let all = positions.reduce(into: Set()) { $0.formUnion($1) }
    guard all.count == positions.reduce(0, { $0 + $1.count }) else { return nil }
    let whole = DicomFolder(
      path: path, instances: instances, damaged: damaged.filter { ($0.seriesInstanceUID ?? uid) == uid })
    let series = whole.imageSeries
    guard series.count == 1, (try? SliceStack(series[0], path: path)) != nil else { return nil }
    self = whole
  }
}
