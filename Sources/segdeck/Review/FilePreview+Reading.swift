import ImageFormats
import Review
import Volumes
import Work

extension FilePreview {
  /// Reads the middle slice (k) of an image's first frame, and as little else as its format allows, on one thread.
  ///
  /// The file may still be written over: a preview is not an input.
  /// - Parameter path: An image file, or a folder.
  /// - Returns: nil for a folder without DICOM files.
  /// - Throws: ``InputError`` when the header or the slice cannot be read; `Cancelled`.
  package init?(of path: String, work: WorkContext) throws {
    if FileSystem.isFolder(path), !DicomListing.holdsDICOM(folder: path) { return nil }
    var work = work.withoutProgress
    // Only this thread is told not to register what it reads.
    work.threadCount = 1
    let (image, slice) = try ReadFiles.withoutRegistering {
      Result {
        let image = try ImageFile.open(path, work: work)
        return (image, try image.slice(image.grid.size.k / 2, work: work))
      }
    }.get()
    self.init(
      slice: slice, window: IntensitySummary(slice).openingPreset.window, summary: image.summary)
  }
}
