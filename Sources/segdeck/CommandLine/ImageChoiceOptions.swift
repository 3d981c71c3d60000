import ArgumentParser
import ImageFormats

/// Options that choose one image of a file that holds several.
struct ImageChoiceOptions: ParsableArguments {
  @Option(
    help:
      "Of a DICOM folder with several series, this one: its number in the list, or the beginning of its UID.")
  var series: String?

  @Option(
    help:
      "Of a segmentation whose segments overlap (.seg.nrrd, DICOM), only this segment, by its name, number or identifier."
  )
  var segment: String?

  @Option(
    help: "Of a segmentation with several layers, only this one, counted from 0.",
    transform: OptionParsing.wholeNumber)
  var layer: Int?

  /// The choice for reading.
  var options: ImageReadingOptions { ImageReadingOptions(series: series, segment: segment, layer: layer) }
}
