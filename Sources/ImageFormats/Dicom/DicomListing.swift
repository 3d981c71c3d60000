import Foundation
import Work

/// The series and segmentations that lie directly in a folder, as lists of cases and choices show them.
package struct DicomListing: Sendable {
  /// A series of slices that is one image.
  package struct Series: Hashable, Sendable {
    /// Its number in the folder, from 1, which `--series` takes.
    package let number: Int
    package let seriesInstanceUID, frameOfReferenceUID: String
    /// "CT, T1 MPRAGE, 24 files, 512x512x24, IM-0001-0001.dcm"; nothing of the patient.
    package let summary: String
    /// The path of its first file, which opens the series.
    package let path: String
    package let fileCount: Int
    /// Bytes of its files.
    package let byteCount: Int
  }

  /// A file with a segmentation.
  package struct Segmentation: Hashable, Sendable {
    package let path: String
    /// The series that it says it is of; empty where it does not.
    package let seriesInstanceUID: String
    package let frameOfReferenceUID: String
  }

  package let series: [Series]
  package let segmentations: [Segmentation]
  /// Files that begin as DICOM and cannot be read, a line each.
  package let damaged: [String]

  /// Reads what stands before the pixels of every DICOM file of a folder.
  /// - Throws: ``InputError`` when the folder cannot be read; ``Cancelled``.
  /// - Complexity: O(files), some 30 KiB of each.
  package init(_ folder: String, work: WorkContext = WorkContext()) throws {
    let content = try DicomFolder(folder, work: work)
    let images = content.imageSeries
    series = images.enumerated().map { index, series in
      Series(
        number: index + 1, seriesInstanceUID: series.first.seriesInstanceUID,
        frameOfReferenceUID: series.first.frameOfReferenceUID, summary: series.summary,
        path: series.first.path,
        fileCount: series.instances.count,
        byteCount: series.instances.reduce(0) { $0 + Int(FileSystem.status($1.path)?.st_size ?? 0) })
    }
    segmentations = content.instances.compactMap { instance in
      instance.segmentation.map {
        Segmentation(
          path: instance.path, seriesInstanceUID: $0.seriesInstanceUID,
          frameOfReferenceUID: instance.frameOfReferenceUID)
      }
    }
    damaged = content.damaged.map(\.description)
  }

  /// Whether a folder directly holds one series of slices, so that it is opened as an image.
  /// - Throws: As ``init(_:work:)``.
  package static func isImage(folder path: String, work: WorkContext = WorkContext()) throws -> Bool {
    try holdsDICOM(folder: path) && DicomListing(path, work: work).series.count == 1
  }

  /// Whether a file of a folder is named as DICOM files are, or one of the first files begins as they do.
  package static func holdsDICOM(folder path: String) -> Bool {
    let names = (try? FileSystem.names(in: path)) ?? []
    let files = names.lazy.filter { !$0.hasPrefix(".") }.map { FilePath.joined(path, $0) }
    return files.contains(where: hasSuffix) || files.prefix(16).contains(where: isDICOM)
  }

  /// Whether a name ends as those of DICOM files do.
  package static func hasSuffix(_ name: String) -> Bool {
    DicomFormat.suffixes.contains { FilePath.hasSuffix($0, name) }
  }

  /// Whether a file begins as DICOM files do; false where it cannot be read.
  package static func isDICOM(_ path: String) -> Bool { DicomFolder.begins(path) }
}
