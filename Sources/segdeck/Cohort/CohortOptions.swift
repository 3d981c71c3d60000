import ArgumentParser
import Cohort
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work

/// What is computed for every case of a cohort: model, CRF, reference and pictures.
struct CohortOptions: ParsableArguments {
  @Option(help: "A bundled model's name or a model file.")
  var model: String?

  @Option(help: "Grid on which the network runs: that of the model's spacing, or the image's own.")
  var grid = WorkingGrid.model

  @Flag(help: "Run the network on the whole volume, also where the model has patches.")
  var whole = false

  @Flag(help: "Refine what the network finds with the dense CRF, as `refine --probabilities` does.")
  var refine = false

  @Option(help: "With --refine, a file of CRF settings (JSON).", completion: .file())
  var preset: String?

  @OptionGroup var refinement: RefinementOptions

  @Option(
    help: "The mask of each case that is compared with, by its name in the worklist; by default the first.")
  var reference: String?

  @Option(
    help: "Millimetres within which borders count as the same in the surface Dice.",
    transform: OptionParsing.number)
  var tolerance = 2.0

  @Flag(help: "Also write the class probabilities of each case, four bytes for each voxel and class.")
  var probabilities = false

  @Flag(help: "Draw no pictures.")
  var noPictures = false

  func validate() throws {
    try OptionParsing.require(tolerance, in: 0...1e6, option: "--tolerance", unit: " mm")
    if !refine, let option = (preset == nil ? nil : "--preset") ?? refinement.givenForCRF.first {
      throw InputError(option, "is about the CRF", expected: "--refine with it")
    }
  }

  /// The options that say what is computed, with absolute paths; empty where none was given.
  func words() throws(InputError) -> [String] {
    var words: [String] = []
    if let model { words += ["--model", Self.isFile(model) ? FilePath.absolute(model) : model] }
    words += voxelWords
    if let preset { words += ["--preset", FilePath.absolute(preset)] }
    if let reference { words += ["--reference", reference] }
    if tolerance != 2 { words += ["--tolerance", "\(tolerance)"] }
    if probabilities { words.append("--probabilities") }
    if noPictures { words.append("--no-pictures") }
    return words
  }

  /// Whether `--model` names a file and not a bundled model.
  private static func isFile(_ model: String) -> Bool { model.contains("/") || FileSystem.exists(model) }

  /// The options that change masks, but the model and the preset.
  private var voxelWords: [String] {
    networkWords + (refine ? ["--refine"] + refinement.givenWordsForCRF.flatMap(\.words) : [])
  }

  /// The options of `segment` that change the mask.
  var networkWords: [String] {
    var words: [String] = []
    if let tau = refinement.tau { words += ["--tau", tau] }
    if grid != .model { words += ["--grid", grid.rawValue] }
    if whole { words.append("--whole") }
    return words
  }

  /// The SHA-256 of everything but the images that masks depend on.
  /// - Throws: ``InputError`` when the preset cannot be read.
  func settingsSHA256(modelSHA256: String) throws(InputError) -> String {
    let kernels = try preset.map { path throws(InputError) in
      RefinementOptions.words(try RefinementPreset.read(path))
    }
    return try ContentDigest.sha256(of: [modelSHA256] + voxelWords + (kernels ?? []))
  }
}
