import ImageFormats
import Segmentation
import Synchronization
import Volumes
import Work

/// The images of a case for the networks of a review: the one on the screen, and those of a model's further channels,
/// which lie beside it as `CASE_0001` and so on.
package final class ChannelImages: Sendable {
  private struct State {
    var first: ImageFile?
    /// The images of the channels from 1 on, as far as a network read them.
    var further: [OpenedImage] = []
  }

  private let state = Mutex(State())

  /// Begins with the image on the screen.
  package func begin(with image: ImageFile) { state.withLock { $0 = State(first: image) } }

  /// The images for a model; `shown` is read already.
  /// - Throws: ``InputError`` when the model takes images that do not lie beside the one on the screen, or one of them
  ///   cannot be read or has another grid; ``Cancelled``.
  func images(
    for model: SegmentationModel, _ shown: ScalarVolume, _ work: WorkContext
  ) throws -> [ScalarVolume] {
    let count = model.preprocessing.channels.count - 1
    guard count > 0 else { return [shown] }
    let (first, known) = state.withLock { ($0.first, $0.further) }
    let paths = try first.map { try ChannelFiles.further(besideFirst: $0.path).prefix(count) } ?? []
    try model.require(imageCount: 1 + paths.count, remedy: ", as CASE_0000, CASE_0001 in one folder")
    let further =
      try known.prefix(count)
      + paths.dropFirst(known.count).map { try OpenedImage($0, work: work.withoutProgress) }
    try ([first].compactMap(\.self) + further.map(\.image)).requireOneGrid()
    if further.count > known.count { state.withLock { $0.further = Array(further) } }
    return try [shown] + further.map { try $0.image.scalarVolume(work: work.withoutProgress) }
  }

  /// The entries in a record of the images that `model` read beside the one on the screen; those that this session has not
  /// read are left out.
  /// - Throws: ``Cancelled``.
  func recorded(for model: SegmentationModel, _ work: WorkContext) throws(Cancelled) -> [MaskRecord.File] {
    let further = state.withLock(\.further).prefix(model.preprocessing.channels.count - 1)
    return try further.map { image throws(Cancelled) in try image.recorded(work) }
  }
}
