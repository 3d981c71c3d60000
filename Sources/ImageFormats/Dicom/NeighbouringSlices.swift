import Work

/// Slices in a folder beside, above or in that of a series, which would continue it.
struct NeighbouringSlices {
  /// Where a folder lies, seen from the folder of a series.
  private enum Relation: String {
    case beside = "the folder beside it"
    case above = "the folder above it"
    case inside = "a folder in it"
  }

  private let folderName: String
  private let relation: Relation
  private let fileCount: Int

  /// The finding that they are not read.
  var finding: Finding {
    Finding(
      "\(counted(fileCount, "file")) in \(folderName), \(relation.rawValue), would continue the series",
      repair: "\(itIs(fileCount)) not read; "
        + (relation == .beside
          ? "the folder above both can be opened instead, with --series where it holds other images"
          : "in one folder the files are one image"))
  }

  /// The most names beside that of a folder, the most folders in it, and the most files at each end of one, that are looked
  /// at.
  private static let lookedAtCount = 4

  /// The most names in a folder: one of many cases would be sorted for each of them.
  private static let maximumNameCount = 1000

  /// Looks into the folders before and after that of a series, in natural order, the one above it and those in it; their
  /// files do not become inputs.
  ///
  /// Exports that put a number of files into each folder number the folders.
  /// - Returns: nil where none has slices of the series that together with it are one evenly spaced image.
  init?(beside series: DicomSeries) {
    let uid = series.first.seriesInstanceUID
    guard !uid.isEmpty else { return nil }
    let own = FilePath.folder(of: series.first.path)
    for (folder, relation) in Self.neighbours(of: FilePath.absolute(own.isEmpty ? "." : own)) {
      let read = try? ReadFiles.withoutRegistering { Result { try Self.series(uid, in: folder) } }.get()
      guard let other = read ?? nil, DicomFolder(path: folder, joining: [series, other]) != nil else {
        continue
      }
      (folderName, fileCount) = (FilePath.name(of: folder), other.instances.count)
      self.relation = relation
      return
    }
    return nil
  }

  /// The folders that are looked into.
  private static func neighbours(of folder: String) -> [(path: String, relation: Relation)] {
    var neighbours: [(path: String, relation: Relation)] = []
    let above = FilePath.folder(of: folder)
    let names = names(in: above)
    if let position = names.firstIndex(of: FilePath.name(of: folder)) {
      for names in [names[..<position].reversed(), Array(names[(position + 1)...])] {
        let paths = names.prefix(lookedAtCount).map { FilePath.joined(above, $0) }
        neighbours += paths.first(where: FileSystem.isFolder).map { [($0, .beside)] } ?? []
      }
      neighbours.append((above, .above))
    }
    let inside = Self.names(in: folder).lazy.filter { !DicomListing.hasSuffix($0) }
      .map { FilePath.joined(folder, $0) }.filter(FileSystem.isFolder)
    return neighbours + inside.prefix(lookedAtCount).map { ($0, .inside) }
  }

  /// The names in a folder in natural order; none where there are too many, or they cannot be read.
  private static func names(in folder: String) -> [String] {
    guard let names = try? FileSystem.names(in: folder), names.count <= maximumNameCount else { return [] }
    return names.filter { !$0.hasPrefix(".") }.naturallySorted(by: \.self)
  }

  /// The slices of a series in a folder, of whose first or last files one is of the series; nil where none is.
  private static func series(_ uid: String, in folder: String) throws -> DicomSeries? {
    let names = try FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }.naturallySorted(by: \.self)
    let isOfSeries = { (name: String) in
      let path = FilePath.joined(folder, name)
      return DicomListing.isDICOM(path) && (try? DicomInstance(path: path))?.seriesInstanceUID == uid
    }
    guard (names.prefix(lookedAtCount) + names.suffix(lookedAtCount)).contains(where: isOfSeries) else {
      return nil
    }
    // Only this thread is told not to register what it reads.
    let content = try DicomFolder(folder, work: WorkContext(threadCount: 1))
    let series = content.imageSeries.filter { $0.first.seriesInstanceUID == uid }
    return series.count == 1 ? series[0] : nil
  }
}
