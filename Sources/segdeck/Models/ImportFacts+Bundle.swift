import Networks
import Segmentation
import Volumes
import Work

extension ImportFacts {
  /// What a MONAI bundle says in configs/metadata.json and in the transforms and the inferer of configs/inference.json.
  ///
  /// MONAI has the axes x, y, z of nibabel. Transforms that load, type or add a channel are passed over; any other that is
  /// not known is an error, since it could change what the network sees.
  /// - Throws: ``InputError`` where a file cannot be read, or says something that has no equal here.
  init(bundle folder: String) throws(InputError) {
    let configs = FilePath.joined(folder, "configs")
    let metadata = try JSONFile(path: FilePath.joined(configs, "metadata.json"))
    let inference = try JSONFile(path: FilePath.joined(configs, "inference.json"))
    axes = .fastestFirst
    let format = try metadata.member("network_data_format")
    try readClasses(of: format.member("outputs"))
    let names = try Self.channelNames(of: format.member("inputs").member("image"))
    var normalisation: Preprocessing.Normalisation?
    for transform in try inference.member("preprocessing").member("transforms").items() {
      try read(transform, into: &normalisation)
    }
    let normal = normalisation ?? .statedScore(mean: 0, standardDeviation: 1, clip: nil)
    channels = names.map { Preprocessing.Channel(name: $0, normalisation: normal) }
    if channels.count == 1 { channels[0].name = Preprocessing.Channel.defaultName }
    if let inferer = inference[optional: "inferer"] { try readInferer(inferer) }
  }

  /// "SlidingWindowInferer" of "monai.inferers.SlidingWindowInferer".
  private static func kind(of object: JSONFile) throws(InputError) -> String {
    let name = try object.member("_target_").text()
    return name.split(separator: ".").last.map(String.init) ?? name
  }

  private mutating func read(
    _ transform: JSONFile, into normalisation: inout Preprocessing.Normalisation?
  ) throws(InputError) {
    let kind = try Self.kind(of: transform)
    func number(_ key: String) throws(InputError) -> Float { Float(try transform.member(key).number()) }
    func set(_ found: Preprocessing.Normalisation) throws(InputError) {
      guard normalisation == nil else {
        throw InputError(
          transform.subject, "changes intensities a second time", found: kind, expected: "--normalise")
      }
      try found.validated(subject: transform.subject)
      normalisation = found
    }
    switch kind {
    case "LoadImaged", "EnsureChannelFirstd", "AddChanneld", "EnsureTyped", "ToTensord", "CastToTyped",
      "ToDeviced",
      "AsChannelFirstd":
      break
    case "Orientationd": orientation = try transform.member("axcodes").text()
    case "Spacingd":
      let pixdim = try transform.member("pixdim")
      let lengths = try pixdim.numbers()
      guard lengths.count == 3, lengths.allSatisfy(UsableRange.millimetres.contains) else {
        throw pixdim.wrongType("three lengths in mm")
      }
      spacing = Spacing(lengths[0], lengths[1], lengths[2])
    case "ScaleIntensityRanged":
      let (lower, upper) = (try number("a_min"), try number("a_max"))
      let (first, last) = (try number("b_min"), try number("b_max"))
      let isClipped = transform[optional: "clip"]?.isTrue ?? false
      guard lower < upper, first < last else { throw transform.wrongType("ranges that ascend") }
      if isClipped, first == 0, last == 1 { return try set(.window(lower: lower, upper: upper)) }
      // (value - lower) / (upper - lower) · (last - first) + first
      let scale = (last - first) / (upper - lower)
      try set(
        .statedScore(
          mean: lower - first / scale, standardDeviation: 1 / scale, clip: isClipped ? lower...upper : nil))
    case "NormalizeIntensityd":
      guard transform[optional: "subtrahend"] == nil, transform[optional: "divisor"] == nil else {
        let (mean, deviation) = (try number("subtrahend"), try number("divisor"))
        return try set(.statedScore(mean: mean, standardDeviation: deviation, clip: nil))
      }
      try set(transform[optional: "nonzero"]?.isTrue == true ? .standardScoreOfNonZero : .standardScoreOfAll)
    case "ScaleIntensityd":
      let (first, last) = (
        try transform[optional: "minv"].map { value throws(InputError) in try value.number() } ?? 0,
        try transform[optional: "maxv"].map { value throws(InputError) in try value.number() } ?? 1
      )
      guard first == 0, last == 1 else { throw transform.wrongType("minv 0 and maxv 1") }
      try set(.percentiles(lower: 0, upper: 100))
    case "ScaleIntensityRangePercentilesd":
      guard try number("b_min") == 0, try number("b_max") == 1, transform[optional: "clip"]?.isTrue == true
      else {
        throw transform.wrongType("b_min 0, b_max 1 and clip true")
      }
      try set(.percentiles(lower: number("lower"), upper: number("upper")))
    default:
      throw InputError(
        transform.subject, "is a transform without an equal here", found: kind,
        expected: "options instead of --bundle, if the network can do without it")
    }
  }

  private mutating func readInferer(_ inferer: JSONFile) throws(InputError) {
    let kind = try Self.kind(of: inferer)
    guard kind == "SlidingWindowInferer" || kind == "SlidingWindowInfererAdapt" else {
      if kind == "SimpleInferer" { return }
      throw InputError(inferer.subject, "is an inferer without an equal here", found: kind)
    }
    let roi = try inferer.member("roi_size")
    let extents = try roi.wholeNumbers()
    guard extents.count == 3, extents.allSatisfy({ (1...4096).contains($0) }) else {
      throw roi.wrongType("three extents from 1 to 4096")
    }
    patch = GridSize(extents[0], extents[1], extents[2])
    if let overlap = inferer[optional: "overlap"] { step = 1 - (try overlap.number()) } else { step = 0.75 }
    let mode = try inferer[optional: "mode"].map { mode throws(InputError) in try mode.text() } ?? "constant"
    guard let weights = PatchTiling.Weights(rawValue: mode) else {
      throw InputError(inferer.subject, "mode", found: mode, expected: "constant or gaussian")
    }
    self.weights = weights
    notes.append(
      "patches are at even distances of at most \(step) of their extent, where MONAI's last ones are nearer")
  }

  private static func channelNames(of image: JSONFile) throws(InputError) -> [String] {
    let count = try image.member("num_channels").wholeNumber()
    guard (1...65_536).contains(count) else { throw image.wrongType("a number of channels") }
    let names =
      try image[optional: "channel_def"].map { names throws(InputError) in try names.members() } ?? []
    return try (0..<count).map { index throws(InputError) in
      try names.first { $0.key == "\(index)" }.map { name throws(InputError) in try name.value.text() }
        ?? "image \(index + 1)"
    }
  }

  /// The classes of the first output but the background, which has the number 0 and that name.
  private mutating func readClasses(of outputs: JSONFile) throws(InputError) {
    guard let output = try outputs.members().first?.value else { throw outputs.wrongType("an output") }
    let classes = try output.member("channel_def")
    var named: [(number: Int, name: String)] = []
    for (key, name) in try classes.members() {
      guard let number = Int(key), number >= 0 else { throw classes.wrongType("classes by number") }
      named.append((number, try name.text()))
    }
    named.sort { $0.number < $1.number }
    let hasBackground =
      named.first.map { $0.number == 0 && $0.name.lowercased().contains("background") } ?? false
    activation = hasBackground ? .softmax : .sigmoid
    for (number, name) in named.dropFirst(hasBackground ? 1 : 0) {
      guard let value = UInt16(exactly: hasBackground ? number : number + 1), value > 0 else {
        throw classes.wrongType("classes from 0 to 65534")
      }
      labels.append(Label(value: value, name: name, colour: LabelTable.colour(ofValue: value)))
    }
  }
}
