import ArgumentParser
import Networks
import ONNX
import Segmentation
import Volumes
import Work

extension PatchTiling.Weights: ExpressibleByArgument {}

/// `segdeck import`: a network of another program as a model.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Make a model of a network in an ONNX file.",
    discussion: """
      ONNX does not say what a network expects of an image. That comes from the options, or from the files of nnU-Net \
      (--plans, --dataset) or of a MONAI bundle (--bundle); options count more. What is missing, and an operator that \
      no layer computes, is an error: nothing is guessed. A file that `segdeck export` wrote says everything.
      """)

  @Argument(help: "The ONNX file.", completion: .file())
  var file: String

  @Option(name: .shortAndLong, help: "Model file to write, NAME.safetensors.", completion: .file())
  var output: String

  @Option(
    name: .long,
    help: """
      The order in which the network has the axes of an image: zyx as in nnU-Net and SimpleITK, xyz as in MONAI and \
      nibabel, or another one; yx or xy of a 2D network.
      """)
  var axes: String?

  @Option(
    name: .long,
    help: "Directions of the axes x, y, z of the images that the network was trained on, such as RAS.")
  var orientation: String?

  @Option(name: .long, help: "Voxel size of those images in mm along x, y, z: one number or three.")
  var spacing: String?

  @Option(
    name: .customLong("normalise"),
    help: ArgumentHelp(
      """
      Intensities, once for all channels or once for each: LOWER,UPPER (clipped, become 0 to 1), score (standard score of \
      voxels above 0), score-all, score-nonzero (0 stays 0), MEAN,SD,LOWER,UPPER (clipped, less MEAN, divided by SD), \
      percentiles=LOWER,UPPER (become 0 to 1; 0,100 are minimum and maximum), none.
      """, valueName: "kind"))
  var normalisations: [String] = []

  @Option(name: .customLong("channel"), help: "Name of an input channel, such as T1; once for each.")
  var channelNames: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Value in masks and name of a class, in their order without the background.", valueName: "value=name"))
  var label: [String] = []

  @Option(
    name: .customLong("head"),
    help:
      "Output that is a head, where the file has several: the main one first, others with further options.")
  var heads: [String] = []

  @Option(
    name: .long,
    help:
      "Patches in which the network runs, XxYxZ voxels; by default the extents that the file fixes, where results depend on them."
  )
  var patch: String?

  @Option(
    name: .long, help: "Distance of patches as a fraction of their extent. (default: 0.5)",
    transform: OptionParsing.number)
  var step: Double?

  @Option(name: .long, help: "Weights of a patch's voxels: gaussian or constant. (default: gaussian)")
  var patchWeights: PatchTiling.Weights?

  @OptionGroup var sources: ImportSources

  @Option(name: .long, help: "How weights are stored: f32, f16 or bf16.")
  var weights = "f32"

  @OptionGroup var card: ModelCardArguments

  @Option(
    name: .customLong("check"),
    help: """
      Run the model on this image before it is written, and print the volume of each label; of several channels once for \
      each.
      """, completion: .file())
  var checkedImages: [String] = []

  @Flag(name: .long, help: "Replace an existing model.")
  var force = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    let format = try ElementFormat(option: weights)
    let outputPath = try OutputPath(output, kind: .model, isForced: force)
    let source = try ModelProto(path: file)
    var model = try model(of: source)
    let card = try card.card(over: model.card ?? ModelCard())
    model.card = card == ModelCard() ? nil : card
    try model.preprocessing.validated(subject: file)
    try model.requireChannels(subject: file)
    if !checkedImages.isEmpty { try check(model) }
    try model.write(to: outputPath.path, format: format)
    Console.note(
      "\(output): \(counted(model.graph.layers.count, "layer")), \(counted(model.parameters.elementCount, "weight"))"
    )
  }

  /// The model of the file: the one that segdeck exported, or its network with what is stated.
  private func model(of source: ModelProto) throws(InputError) -> SegmentationModel {
    let hasFacts =
      axes != nil || orientation != nil || spacing != nil || !normalisations.isEmpty || !label.isEmpty
      || !channelNames.isEmpty || !heads.isEmpty || patch != nil || step != nil || patchWeights != nil
    if !hasFacts, !sources.areGiven, let exported = try source.exportedModel(path: file) {
      return try SegmentationModel(exported, path: file)
    }
    let network = try ImportedNetwork(source, outputs: heads, path: file)
    let facts = try facts(of: network)
    let model = try facts.model(of: network, name: FilePath.stem(of: output), path: file)
    for note in facts.notes { Console.note("\(file): \(note)") }
    if model.tiling == nil,
      try model.graph.resolved(subject: file).nodes.contains(where: { !$0.layer.operation.isLocal })
    {
      Console.note(
        "\(file): its results depend on the extents of the image, on which it runs whole; --patch states those that it was trained on"
      )
    }
    return model
  }

  /// Runs the model on the images of a case and prints what it finds.
  private func check(_ model: SegmentationModel) throws {
    let work = threads.context("checking")
    try model.require(imageCount: checkedImages.count, remedy: ", with --check once for each")
    let images = try checkedImages.map { try OpenedImage($0, work: work.withoutProgress).image }
    try images.requireOneGrid()
    let volumes = try images.map { try $0.scalarVolume(frame: nil, work: work.withoutProgress) }
    if let warning = model.preprocessing.mismatch(with: volumes) {
      Console.note("\(checkedImages[0]): \(warning)")
    }
    let segmenter = try Segmenter(model: model, usesAuxiliaryHeads: false, work: work.part(0...0.1))
    let labels = try segmenter.labels(of: volumes, work: work.part(0.1...1)).labels
    work.report(1)
    var counts: [UInt16: Int] = [:]
    for value in labels.voxels { counts[value, default: 0] += 1 }
    for label in model.labels {
      let millilitres = Double(counts[label.value] ?? 0) * labels.grid.voxelVolume / 1000
      try Console.print("\(label.value) \(label.name): \(decimals(millilitres, 1)) mL".printableLine)
    }
  }

  /// What is stated of the images: in the files of the network's program, then by the options.
  private func facts(of network: ImportedNetwork) throws(InputError) -> ImportFacts {
    var facts = try sources.facts()
    facts.axes = try axes.map { text throws(InputError) in try ImageAxes(text) } ?? facts.axes
    facts.orientation = orientation ?? facts.orientation
    facts.spacing =
      try spacing.map { text throws(InputError) in try OptionParsing.lengths(text, option: "--spacing") }
      ?? facts.spacing
    facts.patch =
      try patch.map { text throws(InputError) in try OptionParsing.gridSize(text, option: "--patch") }
      ?? facts.patch
    facts.step = step ?? facts.step
    facts.weights = patchWeights ?? facts.weights
    if !label.isEmpty { (facts.labels, facts.activation) = (try labels(), nil) }
    try setChannels(of: &facts, count: network.graph.inputChannels)
    return facts
  }

  private func setChannels(of facts: inout ImportFacts, count: Int) throws(InputError) {
    guard [0, 1, count].contains(normalisations.count) else {
      throw InputError(
        "--normalise", "once for all channels, or once for each", found: "\(normalisations.count)",
        expected: "\(count)")
    }
    let stated = try normalisations.map { text throws(InputError) in
      try Preprocessing.Normalisation(option: text)
    }
    if let first = stated.first {
      facts.channels = (0..<count).map { index in
        let known = facts.channels.indices.contains(index) ? facts.channels[index].name : nil
        return Preprocessing.Channel(
          name: known ?? (count == 1 ? Preprocessing.Channel.defaultName : "image \(index + 1)"),
          normalisation: stated.count > 1 ? stated[index] : first)
      }
    }
    guard channelNames.isEmpty || channelNames.count == facts.channels.count else {
      throw InputError(
        "--channel", "names", found: "\(channelNames.count)", expected: "\(facts.channels.count)")
    }
    for (index, name) in channelNames.enumerated() { facts.channels[index].name = name }
  }

  private func labels() throws(InputError) -> [Label] {
    let selections = try LabelSelection.parsed(label)
    try selections.requireOwnValues()
    return try selections.map { selection throws(InputError) in
      guard selection.values.count == 1, let value = UInt16(exactly: selection.values[0]) else {
        throw InputError(
          "--label \(selection)", "a class has one value in masks",
          expected: "one from 1 to 65535, as in 6=liver")
      }
      return Label(value: value, name: selection.name, colour: LabelTable.colour(ofValue: value))
    }
  }
}

extension Preprocessing.Normalisation {
  /// Reads a kind as `--normalise` has it.
  /// - Throws: ``InputError`` for anything else.
  init(option text: String) throws(InputError) {
    func numbers(_ text: Substring) throws(InputError) -> [Float] {
      try OptionParsing.numbers(String(text), option: "--normalise", as: Float.self)
    }
    switch text {
    case "score": self = .standardScore
    case "score-all": self = .standardScoreOfAll
    case "score-nonzero": self = .standardScoreOfNonZero
    case "none": self = .statedScore(mean: 0, standardDeviation: 1, clip: nil)
    default:
      let percentiles = "percentiles="
      let isPercentiles = text.hasPrefix(percentiles)
      let numbers = try numbers(text.dropFirst(isPercentiles ? percentiles.count : 0))
      switch numbers.count {
      case 2 where isPercentiles: self = .percentiles(lower: numbers[0], upper: numbers[1])
      case 2 where numbers[0] < numbers[1]: self = .window(lower: numbers[0], upper: numbers[1])
      case 4 where numbers[2] < numbers[3] && !isPercentiles:
        self = .statedScore(mean: numbers[0], standardDeviation: numbers[1], clip: numbers[2]...numbers[3])
      default:
        throw InputError(
          "--normalise", "no kind of normalisation", found: text,
          expected:
            "LOWER,UPPER, score, score-all, score-nonzero, MEAN,SD,LOWER,UPPER, percentiles=LOWER,UPPER or none"
        )
      }
    }
    try validated(subject: "--normalise \(text)")
  }
}
