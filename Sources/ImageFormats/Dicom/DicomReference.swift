import Foundation

/// What a segmentation states of the images that it is of.
struct DicomReference: StatedHeader {
  /// A slice of the image: its instance, and its frame, from 1, where the instance has several.
  struct Slice: Hashable, Sendable {
    var sopClassUID, sopInstanceUID: String
    var frame: Int?
  }

  var studyInstanceUID, seriesInstanceUID, frameOfReferenceUID: String
  /// The slice of each k; empty where several frames of the image have the same slices.
  var slices: [Slice]
}
