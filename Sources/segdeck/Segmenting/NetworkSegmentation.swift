import ImageFormats
import Segmentation
import Volumes
import Work

/// A network that is ready to segment images: what `segment` does with one image and `cohort run` with many.
struct NetworkSegmentation: Sendable {
  /// The mask of an image, and what it was made from.
  struct Outcome {
    var mask: PostProcessedMask
    /// The probabilities on the working grid; nil where the mask was written slab by slab without storing them.
    var prediction: NetworkPrediction?
  }

  let model: SegmentationModel
  /// The weights τ of the auxiliary heads, lowest head first.
  let auxiliaryHeadWeights: [Double]
  private let grid: WorkingGrid
  private let tiling: Tiling
  private let segmenter: Segmenter

  /// Prepares a model.
  /// - Parameters:
  ///   - auxiliaryHeadWeights: The weights τ of the auxiliary heads; nil for the model's own.
  ///   - isWhole: Whether the network runs on whole images also where the model states patches.
  ///   - memoryLimit: The limit of the activations in bytes.
  /// - Throws: As ``Segmenter``.
  init(
    model: SegmentationModel, auxiliaryHeadWeights: [Double]?, grid: WorkingGrid, tiling: Tiling = .whole,
    isWhole: Bool, memoryLimit: Int, work: WorkContext
  ) throws {
    let weights = auxiliaryHeadWeights ?? model.refinement.auxiliaryHeadWeights
    var segmenter = try Segmenter(
      model: model, usesAuxiliaryHeads: weights.contains { $0 != 0 }, work: work.withoutProgress)
    segmenter.memoryLimit = memoryLimit
    if isWhole { segmenter.patches = nil }
    self.segmenter = segmenter
    self.model = model
    self.auxiliaryHeadWeights = weights
    self.grid = grid
    self.tiling = tiling
  }

  /// Segments the images of a case, one for each channel of the model.
  /// - Parameter keepsPrediction: Whether the probabilities are needed, which take much memory on a large image's own grid.
  /// - Throws: As ``Segmenter``.
  func outcome(
    of volumes: [ScalarVolume], keepsPrediction: Bool, work: WorkContext
  ) throws -> Outcome {
    guard grid == .model || tiling != .whole || keepsPrediction else {
      return Outcome(
        mask: try segmenter.labels(of: volumes, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work))
    }
    let prediction = try segmenter.prediction(
      for: volumes, grid: grid, tiling: tiling, work: work.part(0...0.8))
    let mask = try segmenter.labels(
      of: prediction, auxiliaryHeadWeights: auxiliaryHeadWeights, work: work.part(0.8...1))
    return Outcome(mask: mask, prediction: prediction)
  }

  /// The arguments of a `segment` command that makes the same mask.
  /// - Parameters:
  ///   - images: The opened image, and those of the further channels.
  ///   - model: The model as the user named it.
  ///   - options: The options that change the mask.
  ///   - writesProbabilities: Whether a later command reads the probabilities.
  static func words(
    _ images: [OpenedImage], model: String, options: [String], writesProbabilities: Bool
  ) -> [String] {
    var words = ["segdeck", "segment", CommandLineText.path(images[0].path), "--model", model]
    words += images[0].choice.words
    for image in images.dropFirst() { words += ["--further-image", CommandLineText.path(image.path)] }
    words += options
    if writesProbabilities { words += ["--probabilities", MaskRecord.probabilitiesName] }
    return words + ["-o", MaskRecord.outputName]
  }
}

extension SegmentationModel {
  /// The images of the further channels beside the first one: the given ones, else those that lie beside it as
  /// `CASE_0001` and so on.
  /// - Parameters:
  ///   - remedy: How the user names more images, for the error.
  ///   - note: Receives which images were found.
  /// - Throws: ``InputError`` when the model takes another number of images.
  func furtherImages(
    beside image: String, given: [String], remedy: String, note: (String) -> Void
  ) throws(InputError) -> [String] {
    let channels = preprocessing.channels
    let found =
      given.isEmpty && channels.count > 1
      ? Array(try ChannelFiles.further(besideFirst: image).prefix(channels.count - 1)) : given
    try require(imageCount: 1 + found.count, remedy: remedy)
    if given.isEmpty, !found.isEmpty {
      let pairs = zip(channels, [image] + found).map { "\($0.name) \(FilePath.name(of: $1))" }
      note("channels \(pairs.joined(separator: ", "))")
    }
    return found
  }
}
