import ArgumentParser
import Work

/// Options for the files in which other programs keep what an ONNX file does not say.
struct ImportSources: ParsableArguments {
  @Option(name: .long, help: "nnU-Net's plans.json.", completion: .file())
  var plans: String?

  @Option(name: .long, help: "nnU-Net's dataset.json, with --plans.", completion: .file())
  var dataset: String?

  @Option(name: .long, help: "nnU-Net's configuration, with --plans, such as 3d_fullres.")
  var configuration: String?

  @Option(
    name: .long, help: "Folder of a MONAI bundle, with configs/metadata.json and configs/inference.json.",
    completion: .directory)
  var bundle: String?

  /// Whether one of them is given.
  var areGiven: Bool { plans != nil || dataset != nil || configuration != nil || bundle != nil }

  /// What the files say.
  /// - Throws: ``InputError`` when a file cannot be read, says something that has no equal here, or one is missing.
  func facts() throws(InputError) -> ImportFacts {
    guard bundle == nil || plans == nil && dataset == nil && configuration == nil else {
      throw InputError("--bundle", "is given beside nnU-Net's files", expected: "one of both")
    }
    if let bundle { return try ImportFacts(bundle: bundle) }
    guard plans != nil || dataset != nil || configuration != nil else { return ImportFacts() }
    guard let plans, let dataset, let configuration else {
      throw InputError("--plans, --dataset, --configuration", "are not all given", expected: "all three")
    }
    return try ImportFacts(plans: plans, dataset: dataset, configuration: configuration)
  }
}
