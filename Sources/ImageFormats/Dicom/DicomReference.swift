import Foundation

/// The UIDs with which a segmentation refers to the image that it was made from.
struct DicomReference: StatedHeader {
  /// A slice of the image: its instance, and its frame, from 1, where the instance has several.
  struct Slice: Hashable, Sendable {
    var sopClassUID, sopInstanceUID: String
    var frame: Int?
  }

  /// Empty where the image does not state them.
  var studyInstanceUID, seriesInstanceUID, frameOfReferenceUID: String
  /// The source of each slice k of each volume (time point, echo); a volume with a slice without UIDs has none.
  private var volumes: [[Slice]]
  /// The volume that a mask belongs to.
  private var volume = 0

  /// The source of each slice k; empty where it is not known.
  var slices: [Slice] { volumes.indices.contains(volume) ? volumes[volume] : [] }

  func ofFrame(_ frame: Int) -> DicomReference {
    var reference = self
    reference.volume = frame
    return reference
  }
}

extension DicomReference {
  /// The reference to a series as it was read.
  init(_ series: DicomSeries, _ stack: SliceStack) {
    let first = series.first
    (studyInstanceUID, seriesInstanceUID) = (first.studyInstanceUID, first.seriesInstanceUID)
    frameOfReferenceUID = first.frameOfReferenceUID
    volumes = stack.volumes.map { volume in
      let slices = volume.map { slice in
        let instance = series.instance(slice)
        return Slice(
          sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
          frame: instance.frames.count > 1 ? slice.frame + 1 : nil)
      }
      return slices.contains { $0.sopClassUID.isEmpty || $0.sopInstanceUID.isEmpty } ? [] : slices
    }
  }

  /// Findings about UIDs that the image does not state.
  var findings: [Finding] {
    [
      studyInstanceUID.isEmpty
        ? Finding("StudyInstanceUID is missing", repair: "a segmentation of this image gets a new one") : nil,
      seriesInstanceUID.isEmpty
        ? Finding("SeriesInstanceUID is missing", repair: "a segmentation of this image refers to a new one")
        : nil,
      volumes.contains { $0.isEmpty }
        ? Finding(
          "SOPClassUID or SOPInstanceUID is missing",
          repair: "a segmentation of this image refers to no instance")
        : nil,
    ].compactMap(\.self)
  }
}
