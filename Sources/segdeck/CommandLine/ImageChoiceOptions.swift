import ArgumentParser
import ImageFormats
import Work

/// The option that chooses one of several series.
struct SeriesOption: ParsableArguments {
  @Option(
    help:
      "Of a DICOM folder with several series, this one: its number in the list, or the beginning of its UID.")
  var series: String?

  /// The choice for reading.
  var options: ImageReadingOptions { ImageReadingOptions(series: series) }
}

/// Options that choose a part of a segmentation.
struct SegmentOptions: ParsableArguments {
  @Option(
    help:
      "Of a segmentation whose segments overlap (.seg.nrrd, DICOM), only this segment, by its name, number or identifier."
  )
  var segment: String?

  @Option(
    help: "Of a .seg.nrrd with several layers, only this one, counted from 0; DICOM has no layers.",
    transform: OptionParsing.wholeNumber)
  var layer: Int?

  /// The choice for reading.
  var options: ImageReadingOptions { ImageReadingOptions(segment: segment, layer: layer) }

  /// The choice for each of several masks: nothing for those whose format has no segments.
  /// - Throws: ``InputError`` where a choice was made that none of the masks leaves, or a mask cannot be read.
  func options(forMasks masks: [String]) throws -> [ImageReadingOptions] {
    guard !options.isEmpty else { return masks.map { _ in ImageReadingOptions() } }
    let chosen = try masks.map { options.limited(to: try ImageFile.choices(of: $0)) }
    guard chosen.contains(where: { !$0.isEmpty }) else {
      throw InputError(
        options.words.joined(separator: " "), "chooses a part of a segmentation",
        found: masks.isEmpty ? "no mask" : masks.joined(separator: ", "),
        expected: layer == nil
          ? "a segmentation with segments, .seg.nrrd or DICOM"
          : "a segmentation with layers, .seg.nrrd; of DICOM, which has none, --segment chooses")
    }
    return chosen
  }
}

/// Options that choose one image of a file that holds several.
struct ImageChoiceOptions: ParsableArguments {
  @OptionGroup var series: SeriesOption
  @OptionGroup var segments: SegmentOptions

  /// The choice for reading.
  var options: ImageReadingOptions {
    ImageReadingOptions(series: series.series, segment: segments.segment, layer: segments.layer)
  }
}
