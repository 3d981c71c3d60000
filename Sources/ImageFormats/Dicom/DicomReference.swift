import Foundation

/// The UIDs with which a segmentation refers to the image that it was made from.
struct DicomReference: StatedHeader {
  /// A slice of the image: its instance, and its frame, from 1, where the instance has several.
  struct Slice: Hashable, Sendable {
    var sopClassUID, sopInstanceUID: String
    var frame: Int?
  }

  var studyInstanceUID, seriesInstanceUID, frameOfReferenceUID: String
  /// The source of each slice k; empty for an image with several frames, in which every k has several sources.
  var slices: [Slice]
}

extension DicomReference {
  /// The reference to a series as it was read.
  init(_ series: DicomSeries, _ stack: SliceStack) {
    let first = series.first
    (studyInstanceUID, seriesInstanceUID) = (first.studyInstanceUID, first.seriesInstanceUID)
    frameOfReferenceUID = first.frameOfReferenceUID
    slices =
      stack.volumes.count > 1
      ? []
      : stack.volumes[0].map { slice in
        let instance = series.instance(slice)
        return Slice(
          sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
          frame: instance.frames.count > 1 ? slice.frame + 1 : nil)
      }
  }
}
