import ArgumentParser
import ImageFormats
import Segmentation
import Volumes
import Work

/// `segdeck phantom`: generates an image with labels.
struct PhantomCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "phantom", abstract: "Generate an image with labels from a seed.",
    discussion: """
      ct gives an abdomen with nine labelled organs (liver = 6), mr a heart with its left atrium (label 1). The same
      seed gives the same files on every machine. -o and --labels end in \(ImageName.writtenSuffixList);
      the labels' names go to a .labels.json beside them, or into a .seg.nrrd itself.
      """)

  /// The kind of generated image.
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case ct, mr
  }

  @Argument(help: "ct or mr.")
  var kind: Kind

  @Option(help: "The seed, 0 or more.", transform: OptionParsing.wholeNumber)
  var seed: UInt64

  @Option(name: [.customShort("o"), .long], help: "The image to write.", completion: .file())
  var output: String

  @Option(help: "The label file to write.", completion: .file())
  var labels: String

  @Option(help: "Millimetres per voxel, one number or XxYxZ; 3 for ct and 1.25 for mr unless given.")
  var spacing: String?

  @Option(help: "Voxels, XxYxZ; 122x101x112 for ct and 112x88x52 for mr unless given.")
  var size: String?

  @Flag(help: "Replace files that exist.")
  var force = false

  func validate() throws {
    _ = try parsedSize()
    _ = try parsedSpacing()
  }

  func run() throws {
    let imagePath = try OutputPath(output, kind: .image, isForced: force)
    let labelPath = try OutputPath(
      labels, kind: .image, isForced: force, companions: LabelNamesFile.paths(writtenWithMask: labels))
    let (size, spacing) = (try parsedSize(), try parsedSpacing())
    // Intensities, labels, and the random fields and noise.
    try AvailableMemory.require(
      checkedProduct(size.voxelCount, 16), subject: "--size", "a phantom of \(size) voxels")
    let work = WorkContext(cancellation: Interruption.cancellation())
    let (image, mask, table) =
      switch kind {
      case .ct: try CTPhantom(seed: seed).generate(size: size, spacing: spacing, work: work)
      case .mr: try MRHeartPhantom(seed: seed).generate(size: size, spacing: spacing, work: work)
      }
    let source = ImageSource(grid: image.grid)
    let names = LabelNames(table)
    try PendingFile.commit(
      image.pending(for: imagePath.path, source: source, work: work)
        + mask.pending(for: labelPath.path, source: source, names: names, work: work)
        + LabelNamesFile.pending(names, withMask: labelPath.path))
  }

  private func parsedSize() throws(InputError) -> GridSize {
    let size = try OptionParsing.gridSize(
      size ?? (kind == .ct ? "122x101x112" : "112x88x52"), option: "--size")
    for count in [size.i, size.j, size.k] {
      try OptionParsing.require(count, in: 2...1024, option: "--size", unit: " along each axis")
    }
    return size
  }

  private func parsedSpacing() throws(InputError) -> Spacing {
    let text = spacing ?? (kind == .ct ? "3" : "1.25")
    let fields = text.split(separator: "x", omittingEmptySubsequences: false)
    let parts = fields.compactMap { Double(stated: $0) }
    guard parts.count == fields.count, parts.count == 1 || parts.count == 3 else {
      throw InputError("--spacing", "not lengths", found: text, expected: "one number, or three as XxYxZ")
    }
    for length in parts { try OptionParsing.require(length, in: 0.1...50, option: "--spacing", unit: " mm") }
    return parts.count == 1 ? Spacing(parts[0]) : Spacing(parts[0], parts[1], parts[2])
  }
}
