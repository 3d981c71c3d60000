import ArgumentParser
import ImageFormats

/// Options that choose one image of a file that holds several.
struct ImageChoiceOptions: ParsableArguments {
  @Option(
    help:
      "Of a segmentation whose segments overlap (.seg.nrrd), only this segment, by its name or identifier.")
  var segment: String?

  @Option(
    help: "Of a segmentation with several layers, only this one, counted from 0.",
    transform: OptionParsing.wholeNumber)
  var layer: Int?

  /// The choice for reading.
  var options: ImageReadingOptions { ImageReadingOptions(segment: segment, layer: layer) }
}
