import Foundation
import ImageFormats
import Networks
import Segmentation
import Volumes
import Work

/// Chooses the settings of a training that the options leave open, from the fingerprint of the data set.
struct TrainingSetup {
  /// The chosen defaults with their reasons, as lines for the user and the model card.
  private(set) var choices: [String] = []
  /// The axes of the working grid.
  let orientation: Orientation
  /// Whether the network is to be a 2D network, which sees one slice at a time.
  private let isPlanar: Bool
  private let sources: [TrainingFolders.Source]
  private let work: WorkContext
  private var fingerprint: DatasetFingerprint?
  /// The planned network; nil for another one.
  private var plan: UNetPlan?

  /// The maximum number of images whose voxels are read.
  private static let sampledImages = 12

  /// - Parameter plane: The plane of the slices of a 2D network; nil for a 3D network, or one that a file defines.
  init(_ sources: [TrainingFolders.Source], plane: AnatomicalPlane?, work: WorkContext) {
    self.sources = sources
    orientation = Orientation(slicesOf: plane ?? .axial)
    isPlanar = plane != nil
    self.work = work
  }

  /// Adds a chosen default with its reason.
  mutating func note(_ subject: String, _ value: String, _ reason: String) {
    choices.append("\(subject): \(value) (\(reason))")
  }

  /// The fingerprint of the data set: grids of all cases, and intensities of up to ``sampledImages``, spread evenly.
  /// - Throws: ``InputError`` when a file cannot be read; ``Cancelled``.
  private mutating func measuredFingerprint() throws -> DatasetFingerprint {
    if let fingerprint { return fingerprint }
    var found = DatasetFingerprint()
    let step = max(1, sources.count / Self.sampledImages)
    for (index, source) in sources.enumerated() {
      found.add(try source.imageFiles()[0].grid, orientation: orientation)
      if index % step == 0 {
        let (images, labels) = try source.volumes(isForTraining: true, work: work)
        found.add(images, labels: labels, codes: source.coding.codes(of: source.selections.flatMap(\.values)))
      }
      work.report(Double(index + 1) / Double(sources.count))
    }
    fingerprint = found
    return found
  }

  /// The preprocessing; a default is chosen for each parameter that is nil.
  /// - Parameter normalisations: One for each channel.
  mutating func preprocessing(
    spacing: Spacing?, normalisations: [Preprocessing.Normalisation]?
  ) throws -> Preprocessing {
    let names = sources[0].channelNames
    let channels = names.indices.map {
      Preprocessing.Channel(name: names[$0], normalisation: normalisations?[$0] ?? .standardScore)
    }
    var preprocessing = Preprocessing(
      orientation: orientation.description, spacingMillimetres: spacing ?? Spacing(1), channels: channels)
    if channels.count > 1 {
      note("channels", preprocessing.channelNames, "\(channels.count) images of each case")
    }
    if spacing == nil {
      let suggested = try measuredFingerprint().spacing()
      preprocessing.spacingMillimetres = suggested.value
      let axes = (0..<3).map { significant(suggested.value[$0]) }
      note("spacing", axes.joined(separator: " x ") + " mm", suggested.reason)
    }
    if normalisations == nil {
      let fingerprint = try measuredFingerprint()
      for (index, channel) in channels.enumerated() {
        let suggested = fingerprint.normalisation(ofChannel: index)
        preprocessing.channels[index].normalisation = suggested.value
        note(
          channels.count == 1 ? "intensities" : "intensities of \(channel.name)", suggested.value.summary,
          suggested.reason)
      }
    }
    return preprocessing
  }

  /// The default network's name.
  mutating func network(_ preprocessing: Preprocessing) throws -> String {
    if isPlanar { return NetworkLibrary.planned }
    let suggested = try measuredFingerprint().network(
      at: preprocessing.spacingMillimetres, preprocessing.normalisation)
    note("network", suggested.value, suggested.reason)
    return suggested.value
  }

  /// A U-Net for crops of `cropSize` with `channels` channels in the first stage; crop and channels are chosen where they
  /// are nil.
  mutating func plannedNetwork(
    _ preprocessing: Preprocessing, cropSize: GridSize?, channels: Int?, classes: Int
  ) throws -> NetworkGraph {
    let spacing = preprocessing.spacingMillimetres
    let suggested = try measuredFingerprint().cropSize(
      at: spacing, multiple: GridSize(1, 1, 1), isSlice: isPlanar)
    var plan = UNetPlan(
      cropSize: cropSize ?? suggested.value, spacing: spacing, classes: classes,
      memoryBytes: AvailableMemory.byteCount)
    if let channels { plan.channels = channels }
    note("network", plan.summary, "spacing, crop and memory")
    if cropSize == nil { note("crop", "\(plan.cropSize)", suggested.reason) }
    self.plan = plan
    return plan.graph(classes: classes, inputChannels: preprocessing.channels.count)
  }

  /// `settings` with default crop and batch size where the options leave them open.
  mutating func completed(
    _ settings: TrainingSettings, arguments: TrainingArguments, preprocessing: Preprocessing,
    network: ResolvedGraph
  ) throws -> TrainingSettings {
    var settings = settings
    if arguments.crop == nil, let plan {
      settings.cropSize = plan.cropSize
    } else if arguments.crop == nil {
      let suggested = try measuredFingerprint().cropSize(
        at: preprocessing.spacingMillimetres, network: network, memoryBytes: AvailableMemory.byteCount)
      settings.cropSize = suggested.value
      note("crop", "\(suggested.value)", suggested.reason)
    }
    if arguments.batch == nil {
      let suggested = settings.cropSize.defaultBatchSize()
      settings.batchSize = suggested.value
      note("batch", "\(suggested.value)", suggested.reason)
    }
    return settings
  }
}

extension Preprocessing.Normalisation {
  /// "-125 to 240 become 0 to 1", "standard score of voxels above 0", ….
  var summary: String {
    switch self {
    case .window(let lower, let upper):
      "\(significant(Double(lower))) to \(significant(Double(upper))) become 0 to 1"
    case .standardScore: "standard score of voxels above 0"
    case .standardScoreOfAll: "standard score of all voxels"
    case .standardScoreOfNonZero: "standard score of voxels other than 0"
    case .statedScore(let mean, let standardDeviation, let clip):
      (clip.map {
        "clipped to \(significant(Double($0.lowerBound))) to \(significant(Double($0.upperBound))), then "
      } ?? "") + "less \(significant(Double(mean))), divided by \(significant(Double(standardDeviation)))"
    case .percentiles(let lower, let upper):
      "percentiles \(significant(Double(lower))) to \(significant(Double(upper))) become 0 to 1"
    }
  }
}
