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

  /// The choice for each of several images: nothing for those whose format has no series.
  /// - Throws: ``InputError`` where a choice was made that none of the images leaves, or an image cannot be read.
  func options(forImages images: [String]) throws -> [ImageReadingOptions] {
    try options.forFiles(
      images, problem: "chooses a series", none: "no image",
      expected: "a DICOM image; other formats hold one image a file")
  }
}

extension ImageReadingOptions {
  /// The choice for each of several files: nothing for those whose format does not leave it.
  /// - Parameters:
  ///   - problem: What the choice does, for the error about files of which none leaves it.
  ///   - none: What that error finds where there is no file.
  ///   - expected: What it expects.
  /// - Throws: That ``InputError``, also where a file cannot be read.
  fileprivate func forFiles(
    _ files: [String], problem: String, none: String, expected: String
  ) throws -> [ImageReadingOptions] {
    guard !isEmpty else { return files.map { _ in ImageReadingOptions() } }
    let chosen = try files.map { try limited(toThoseOf: $0) }
    guard chosen.contains(where: { !$0.isEmpty }) else {
      let more = files.count > Self.namedFileCount ? " and \(files.count - Self.namedFileCount) more" : ""
      throw InputError(
        words.joined(separator: " "), problem,
        found: files.isEmpty ? none : files.prefix(Self.namedFileCount).joined(separator: ", ") + more,
        expected: expected)
    }
    return chosen
  }

  /// The maximum number of files that an error names.
  private static let namedFileCount = 3
}

/// Options that choose a part of a segmentation.
struct SegmentOptions: ParsableArguments {
  @Option(
    help:
      "Of a segmentation whose segments overlap (.seg.nrrd, DICOM), only this segment, by its name or number; of a .seg.nrrd also by its identifier."
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
    try options.forFiles(
      masks, problem: "chooses a part of a segmentation", none: "no mask",
      expected: layer == nil
        ? "a segmentation with segments, .seg.nrrd or DICOM"
        : "a segmentation with layers, .seg.nrrd; of DICOM, which has none, --segment chooses")
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
