import Work

/// Slices in a folder beside that of a series, which would continue it.
struct NeighbouringSlices {
  let folderName: String
  let fileCount: Int

  /// The finding that they are not read.
  var finding: Finding {
    Finding(
      "\(counted(fileCount, "file")) in \(folderName), the folder beside it, would continue the series",
      repair: "\(itIs(fileCount)) not read; the folder above both can be opened instead")
  }

  /// The most names beside that of a folder, and the most files at each end of one, that are looked at.
  private static let lookedAtCount = 4

  /// The most names in the folder above: a folder of many cases would be sorted for each of them.
  private static let maximumNameCount = 1000

  /// Looks into the folders before and after that of a series, in natural order; their files do not become inputs.
  ///
  /// Exports that put a number of files into each folder number the folders.
  /// - Returns: nil where neither has slices of the series that together with it are one evenly spaced image.
  init?(beside series: DicomSeries) {
    let uid = series.first.seriesInstanceUID
    let own = FilePath.folder(of: series.first.path)
    let folder = FilePath.absolute(own.isEmpty ? "." : own)
    let above = FilePath.folder(of: folder)
    guard !uid.isEmpty, let entries = try? FileSystem.names(in: above), entries.count <= Self.maximumNameCount
    else { return nil }
    let names = entries.filter { !$0.hasPrefix(".") }.naturallySorted(by: \.self)
    guard let position = names.firstIndex(of: FilePath.name(of: folder)) else { return nil }
    for names in [names[..<position].reversed(), Array(names[(position + 1)...])] {
      let name = names.prefix(Self.lookedAtCount).first { FileSystem.isFolder(FilePath.joined(above, $0)) }
      guard let name else { continue }
      let read = try? ReadFiles.withoutRegistering {
        Result { try Self.series(uid, in: FilePath.joined(above, name)) }
      }.get()
      guard let other = read ?? nil, DicomFolder(path: above, joining: [series, other]) != nil else {
        continue
      }
      (folderName, fileCount) = (name, other.instances.count)
      return
    }
    return nil
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
