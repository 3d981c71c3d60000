import Foundation
import Work

/// The series and segmentations that lie directly in a folder, as lists of cases and choices show them.
package struct DicomListing: Sendable {
  /// A series of slices that is one image.
  package struct Series: Hashable, Sendable {
    /// Its number in the folder, counted from 1, as `--series` takes it.
    package let number: Int
    /// ``number`` as text where one of its files holds slices of another series too, so that a path alone does not choose
    /// it; nil where its files are its own.
    package let seriesInFile: String?
    package let seriesInstanceUID, frameOfReferenceUID: String
    fileprivate let shape: SliceShape?
    /// "MR, T1 MPRAGE, 24 files, 512x512x24, IM-0001-0001.dcm", without patient data.
    package let summary: String
    /// The path of its first file, which opens the series.
    package let path: String
    package let fileCount: Int
    /// The total size of its files in bytes.
    package let byteCount: Int

    fileprivate init(_ series: DicomSeries, number: Int, seriesInFile: String?) {
      self.number = number
      self.seriesInFile = seriesInFile
      seriesInstanceUID = series.first.seriesInstanceUID
      frameOfReferenceUID = series.first.frameOfReferenceUID
      shape = SliceShape(series.frame(series.slices[0]), of: series.first)
      summary = series.summary
      path = series.first.path
      fileCount = series.instances.count
      byteCount = series.instances.reduce(0) { $0 + Int(FileSystem.status($1.path)?.st_size ?? 0) }
    }
  }

  /// A file with a segmentation.
  package struct Segmentation: Hashable, Sendable {
    package let path: String
    /// The UID of the series that it refers to; empty where it states none.
    package let seriesInstanceUID: String
    package let frameOfReferenceUID: String
    fileprivate let shape: SliceShape?

    /// Whether its slices have the size, orientation and spacing of those of a series.
    package func isParallel(to series: Series) -> Bool {
      guard let shape, let other = series.shape else { return false }
      return shape.columns == other.columns && shape.rows == other.rows && shape.plane.isNear(other.plane)
    }
  }

  /// The size and plane of the slices of an image.
  fileprivate struct SliceShape: Hashable, Sendable {
    var columns, rows: Int
    var plane: FramePlane

    /// Those of a frame; nil where its file does not state them.
    init?(_ frame: DicomFrame?, of instance: DicomInstance) {
      guard let format = instance.format, let plane = frame?.plane else { return nil }
      (columns, rows, self.plane) = (format.columns, format.rows, plane)
    }
  }

  package let series: [Series]
  package let segmentations: [Segmentation]
  /// A line for each file that begins as a DICOM file but cannot be read.
  package let damaged: [String]

  /// Reads the attributes before the pixels of every DICOM file of a folder.
  /// - Throws: ``InputError`` when the folder cannot be read; ``Cancelled``.
  /// - Complexity: O(files), some 30 KiB of each.
  package init(_ folder: String, work: WorkContext = WorkContext()) throws {
    let content = try DicomFolder(folder, work: work)
    let images = content.imageSeries
    let seriesCounts = images.reduce(into: [String: Int]()) { counts, series in
      for instance in series.instances { counts[instance.path, default: 0] += 1 }
    }
    series = images.enumerated().map { index, series in
      Series(
        series, number: index + 1,
        seriesInFile: series.instances.contains { seriesCounts[$0.path, default: 0] > 1 }
          ? "\(index + 1)" : nil)
    }
    segmentations = content.instances.compactMap { instance in
      instance.segmentation.map {
        Segmentation(
          path: instance.path, seriesInstanceUID: $0.seriesInstanceUID,
          frameOfReferenceUID: instance.frameOfReferenceUID,
          shape: SliceShape(instance.frames.first, of: instance))
      }
    }
    damaged = content.damaged.map(\.error.description)
  }

  /// The only image below a folder, where its files are divided among several folders; nil for any other images, and where
  /// they cannot be read.
  /// - Throws: ``Cancelled``.
  package static func dividedImage(below path: String) throws(Cancelled) -> Series? {
    try DicomSubfolders.dividedImage(below: path)?.imageSeries.first.map {
      Series($0, number: 1, seriesInFile: nil)
    }
  }

  /// Whether a folder itself, without its subfolders, holds exactly one image series and so is opened as an image.
  /// - Throws: As ``init(_:work:)``.
  package static func isImage(folder path: String, work: WorkContext = WorkContext()) throws -> Bool {
    try holdsDICOM(folder: path) && DicomListing(path, work: work).series.count == 1
  }

  /// Whether a file of a folder has a suffix of DICOM, or one of its first 16 files begins as a DICOM file.
  package static func holdsDICOM(folder path: String) -> Bool {
    let names = (try? FileSystem.names(in: path)) ?? []
    let files = names.lazy.filter { !$0.hasPrefix(".") }.map { FilePath.joined(path, $0) }
    return files.contains(where: hasSuffix) || files.prefix(16).contains(where: isDICOM)
  }

  /// Whether a name has a suffix of DICOM files.
  package static func hasSuffix(_ name: String) -> Bool {
    DicomFormat.suffixes.contains { FilePath.hasSuffix($0, name) }
  }

  /// Whether the first bytes of a file are those of a DICOM file; false where it cannot be read.
  package static func isDICOM(_ path: String) -> Bool { DicomFolder.begins(path) }
}
