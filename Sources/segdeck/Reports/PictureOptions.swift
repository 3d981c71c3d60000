import ArgumentParser
import Pictures
import Volumes
import Work

extension AnatomicalPlane: ExpressibleByArgument {}

/// The command-line options of pictures.
struct PictureOptions: ParsableArguments {
  /// The permitted widths of a picture in pixels.
  static let widths = 32...8192

  @Option(help: "Show one plane instead of three: axial, coronal or sagittal.")
  var plane: AnatomicalPlane?

  @Option(help: "The voxel I,J,K that the planes go through; by default the middle of the largest label.")
  var at: String?

  @Option(help: "Show these slices of a plane, as in 10,20,30 or 10-40.")
  var slices: String?

  @Option(help: "Show every N-th slice of a plane.", transform: OptionParsing.wholeNumber)
  var every: Int?

  @Option(help: "Pictures in a row of slices or cases.", transform: OptionParsing.wholeNumber)
  var columns: Int?

  @Option(help: "Centre and width of the window, as in 40,400; by default as the review opens the image.")
  var window: String?

  @Flag(help: "Fill labels instead of outlining them.")
  var fill = false

  @Flag(help: "Show where the first two masks differ.")
  var difference = false

  @Option(help: "Show only this structure, as in 6=liver or 1,2=kidney; may be repeated.")
  var label: [String] = []

  @Option(
    help: "Show only the masks and a margin around them, in millimetres.", transform: OptionParsing.number)
  var margin: Double?

  @Option(help: "Width of the whole picture in pixels.", transform: OptionParsing.wholeNumber)
  var width: Int?

  @Flag(help: "Omit the captions below pictures.")
  var noCaption = false

  func validate() throws {
    if let width { try OptionParsing.require(width, in: Self.widths, option: "--width", unit: " pixels") }
    if let margin { try Self.requireMargin(margin) }
    if let columns { try OptionParsing.require(columns, in: 1...1000, option: "--columns") }
    if let every { try OptionParsing.require(every, in: 1...1_000_000, option: "--every") }
  }

  /// Refuses a margin that is out of range.
  static func requireMargin(_ millimetres: Double) throws(InputError) {
    try OptionParsing.require(millimetres, in: 0...1e6, option: "--margin", unit: " mm")
  }

  /// The slices of a montage; nil where none is asked for.
  /// - Throws: ``InputError`` for options that contradict each other.
  func sliceChoice() throws(InputError) -> SliceChoice? {
    guard slices == nil || every == nil else {
      throw InputError("--every", "chooses slices as --slices does", expected: "one of both")
    }
    let choice =
      try slices.map { text throws(InputError) in try SliceChoice(text) } ?? every.map { .every($0) }
    guard !fill || !difference else {
      throw InputError("--fill", "has no effect on a difference", expected: "one of both")
    }
    if choice != nil, at != nil {
      throw InputError("--at", "has no effect on slices that are chosen", expected: "one of both")
    }
    return choice
  }

  /// Refuses options that have no effect on one image with `maskCount` masks.
  /// - Throws: ``InputError`` for the first such option.
  func requireEffect(maskCount: Int, isMontage: Bool) throws(InputError) {
    if columns != nil, !isMontage {
      throw InputError("--columns", "is about several slices", expected: "--slices or --every with it")
    }
    let ofMasks = [("--label", !label.isEmpty), ("--margin", margin != nil), ("--fill", fill)]
    if maskCount == 0, let option = ofMasks.first(where: \.1) {
      throw InputError(option.0, "is about masks", expected: "--mask with it")
    }
  }

  /// The style of pictures that are `width` pixels wide.
  /// - Throws: ``InputError`` for a value that cannot be used.
  func style(width: Int) throws(InputError) -> PictureStyle {
    let selections = try LabelSelection.parsed(label)
    try selections.requireOwnValues()
    return PictureStyle(
      width: width, plane: plane, voxel: try voxel(), window: try intensityWindow(),
      overlay: fill ? .fill : .outline, marginMillimetres: margin, selections: selections)
  }

  private func voxel() throws(InputError) -> VoxelIndex? {
    guard let at else { return nil }
    let parts = at.split(separator: ",", omittingEmptySubsequences: false).compactMap { Int($0) }
    guard parts.count == 3, at.split(separator: ",", omittingEmptySubsequences: false).count == 3,
      parts.allSatisfy({ $0 >= 0 })
    else {
      throw InputError("--at", "not a voxel", found: at, expected: "I,J,K from 0, as in 120,80,40")
    }
    return VoxelIndex(parts[0], parts[1], parts[2])
  }

  private func intensityWindow() throws(InputError) -> IntensityWindow? {
    guard let window else { return nil }
    let numbers: [Double] = try OptionParsing.numbers(window, option: "--window")
    guard numbers.count == 2, numbers[1] > 0, numbers.allSatisfy(UsableRange.intensity.contains) else {
      throw InputError(
        "--window", "not a window", found: window, expected: "centre and width above 0, as in 40,400")
    }
    return IntensityWindow(centre: numbers[0], width: numbers[1])
  }
}
