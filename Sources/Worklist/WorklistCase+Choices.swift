import ImageFormats

// What is read of files that hold several images. The choices are cells of further columns, so that lists can be filtered
// by them and a column of that name in an older file stays what it was: they apply only where the format of a file
// leaves the choice.

extension WorklistCase {
  /// The choice of one of several series in the file or folder of the first image, as `--series` makes it: the cell of
  /// the column `series`; nil for none.
  package var series: String? {
    get { values[WorklistColumn.series] }
    set { values[WorklistColumn.series] = newValue }
  }

  /// The choice of a segment of a mask, as `--segment` makes it: the cell of `segment` for `mask`, of `segment2` for
  /// `mask2`, and of `segment:NAME` for `mask:NAME`; nil for none.
  package func segment(of mask: Mask) -> String? {
    values[WorklistColumn.heading(ofPart: WorklistColumn.segment, ofMask: mask.name)]
  }

  /// The choice of a layer of a mask, counted from 0, as ``segment(of:)`` finds it in the columns `layer`; nil for none,
  /// and for a cell that is no whole number.
  package func layer(of mask: Mask) -> Int? {
    values[WorklistColumn.heading(ofPart: WorklistColumn.layer, ofMask: mask.name)].flatMap { Int($0) }
  }

  /// The choices with which the first image is opened: those that its format leaves; none where it cannot be read.
  ///
  /// The file is looked at only where there is a choice.
  package func imageChoice() -> ImageReadingOptions {
    usable(ImageReadingOptions(series: series), of: images[0])
  }

  /// The choices with which a mask is opened, found as ``imageChoice()``.
  package func choice(of mask: Mask) -> ImageReadingOptions {
    usable(ImageReadingOptions(segment: segment(of: mask), layer: layer(of: mask)), of: mask.path)
  }

  /// The choices with which some of its masks are opened, by their paths; masks without one are left out.
  package func choices(of masks: [Mask]) -> [String: ImageReadingOptions] {
    Dictionary(masks.map { ($0.path, choice(of: $0)) }, uniquingKeysWith: { first, _ in first })
      .filter { !$0.value.isEmpty }
  }

  /// What is read of the first image, as texts for ``MeasureCache/Key``; empty where nothing is chosen.
  package var imageChoiceTexts: [String] { series.map { ["series: \($0)"] } ?? [] }

  /// What is read of the first image and of the masks, as texts for ``MeasureCache/Key``.
  package var choiceTexts: [String] {
    let ofMasks = masks.flatMap { mask in
      [
        segment(of: mask).map { "segment of \(mask.path): \($0)" },
        layer(of: mask).map { "layer of \(mask.path): \($0)" },
      ]
    }
    return imageChoiceTexts + ofMasks.compactMap(\.self)
  }

  private func usable(_ options: ImageReadingOptions, of path: String) -> ImageReadingOptions {
    // A file that cannot be read is refused when it is opened.
    (try? options.limited(toThoseOf: path)) ?? ImageReadingOptions()
  }
}
