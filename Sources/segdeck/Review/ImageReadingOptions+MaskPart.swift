import ImageFormats
import Review

extension ImageReadingOptions {
  /// The choice of a part of a segmentation.
  init(_ part: MaskPart) { self.init(segment: part.segment, layer: part.layer) }
}
