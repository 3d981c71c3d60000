import Networks
import Segmentation
import Volumes
import Work

extension ImportFacts {
  /// What nnU-Net v2 keeps of a network: spacing, patches and intensities in plans.json, labels and channels in dataset.json.
  ///
  /// nnU-Net has the axes z, y, x of SimpleITK, in the order that `transpose_forward` says, and does not turn images, so
  /// that the orientation of its training images is stated nowhere. Its patches are half their extent apart and have
  /// Gaussian weights; mirroring, which its predictor does by default, is left out.
  /// - Throws: ``InputError`` where a file cannot be read, or says something that has no equal here.
  init(plans plansPath: String, dataset datasetPath: String, configuration name: String) throws(InputError) {
    let (plans, dataset) = (try JSONFile(path: plansPath), try JSONFile(path: datasetPath))
    let configuration = try Self.configuration(name, of: plans)
    let transposed = try plans.member("transpose_forward")
    guard let axes = ImageAxes(transposed: try transposed.wholeNumbers()) else {
      throw transposed.wrongType("an order of 0, 1 and 2")
    }
    self.axes = axes
    let (spacing, patch) = (try configuration("spacing"), try configuration("patch_size"))
    let (lengths, extents) = (try spacing.numbers(), try patch.wholeNumbers())
    guard extents.count == 3 || extents.count == 2, extents.allSatisfy({ (1...4096).contains($0) }) else {
      throw patch.wrongType("two or three extents from 1 to 4096")
    }
    self.patch = axes.size(extents.count == 2 ? [1] + extents : extents)
    if lengths.count == 3 {
      guard lengths.allSatisfy(UsableRange.millimetres.contains) else {
        throw spacing.wrongType("three lengths in mm")
      }
      self.spacing = axes.lengths(lengths)
    } else {
      // A 2D configuration leaves the distance of slices as it is in each image.
      notes.append("the distance of slices is that of --spacing, where nnU-Net keeps that of each image")
    }
    try readChannels(of: dataset, plans, configuration)
    try readLabels(of: dataset)
    notes.append("images are interpolated linearly, where nnU-Net uses cubic splines")
  }

  /// A function that gives a member of a configuration, or of the one that it inherits from.
  private static func configuration(
    _ name: String, of plans: JSONFile
  ) throws(InputError) -> (String) throws(InputError) -> JSONFile {
    let all = try plans.member("configurations")
    var chain: [JSONFile] = []
    var next: String? = name
    while let current = next {
      guard let configuration = all[optional: current] else {
        let names = try all.members().map(\.key).joined(separator: ", ")
        throw InputError("--configuration", "is not in the plans", found: current, expected: names)
      }
      guard chain.count < 16 else { throw InputError(configuration.subject, "inherits from itself") }
      chain.append(configuration)
      next = try configuration[optional: "inherits_from"].map { parent throws(InputError) in try parent.text()
      }
    }
    return { key throws(InputError) in
      guard let found = chain.lazy.compactMap({ $0[optional: key] }).first else {
        throw InputError(chain[0].subject, "has no \"\(key)\"")
      }
      return found
    }
  }

  private mutating func readChannels(
    of dataset: JSONFile, _ plans: JSONFile, _ configuration: (String) throws(InputError) -> JSONFile
  ) throws(InputError) {
    guard let listed = dataset[optional: "channel_names"] ?? dataset[optional: "modality"] else {
      throw InputError(dataset.subject, "has no \"channel_names\"")
    }
    let schemes = try configuration("normalization_schemes").items()
    let masks = try configuration("use_mask_for_norm").items()
    let names = try listed.members()
    guard names.count == schemes.count, masks.count == schemes.count else {
      throw InputError(
        listed.subject, "channels", found: "\(names.count)", expected: "\(schemes.count) as in the plans")
    }
    for index in schemes.indices {
      guard let name = names.first(where: { $0.key == "\(index)" })?.value else {
        throw InputError(listed.subject, "has no channel \(index)")
      }
      let scheme = schemes[index]
      let normalisation: Preprocessing.Normalisation
      switch try scheme.text() {
      case "CTNormalization":
        let properties = try plans.member("foreground_intensity_properties_per_channel").member("\(index)")
        let numbers = try ["mean", "std", "percentile_00_5", "percentile_99_5"].map {
          key throws(InputError) in
          Float(try properties.member(key).number())
        }
        guard numbers[2] < numbers[3] else { throw properties.wrongType("percentiles that ascend") }
        normalisation = .statedScore(
          mean: numbers[0], standardDeviation: numbers[1], clip: numbers[2]...numbers[3])
      case "ZScoreNormalization":
        normalisation = masks[index].isTrue ? .standardScoreOfNonZero : .standardScoreOfAll
        notes.append(
          masks[index].isTrue
            ? "the standard score is that of voxels other than 0, where nnU-Net also counts zeros in holes of those"
            : "the standard score is that of the whole image, where nnU-Net first crops it to the voxels other than 0"
        )
      case "RescaleTo01Normalization": normalisation = .percentiles(lower: 0, upper: 100)
      case "NoNormalization": normalisation = .statedScore(mean: 0, standardDeviation: 1, clip: nil)
      case "RGBTo01Normalization": normalisation = .statedScore(mean: 0, standardDeviation: 255, clip: nil)
      default:
        throw scheme.wrongType(
          "CTNormalization, ZScoreNormalization, RescaleTo01Normalization, NoNormalization or RGBTo01Normalization"
        )
      }
      try normalisation.validated(subject: scheme.subject)
      channels.append(
        Preprocessing.Channel(
          name: schemes.count == 1 ? Preprocessing.Channel.defaultName : try name.text(),
          normalisation: normalisation))
    }
  }

  /// The labels by value, or the regions in the order in which they are painted over each other.
  private mutating func readLabels(of dataset: JSONFile) throws(InputError) {
    let listed = try dataset.member("labels")
    let order = try dataset[optional: "regions_class_order"].map { order throws(InputError) in
      try order.wholeNumbers()
    }
    var values: [(name: String, value: Int)] = []
    for (name, value) in try listed.members() where name != "background" && name != "ignore" {
      let isRegion = if case .array = value.value { true } else { false }
      guard isRegion == (order != nil) else {
        throw value.wrongType("a region only with \"regions_class_order\"")
      }
      let position = values.count
      guard let order else {
        values.append((name, try value.wholeNumber()))
        continue
      }
      guard order.indices.contains(position) else {
        throw InputError(listed.subject, "has more regions than \"regions_class_order\"")
      }
      values.append((name, order[position]))
    }
    if order == nil { values.sort { $0.value < $1.value } }
    activation = order == nil ? .softmax : .sigmoid
    for (name, value) in values {
      guard let value = UInt16(exactly: value), value > 0 else {
        throw InputError(listed.subject, "value of \(name)", found: "\(value)", expected: "1 to 65535")
      }
      labels.append(Label(value: value, name: name, colour: LabelTable.colour(ofValue: value)))
    }
  }
}
