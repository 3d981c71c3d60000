import Volumes
import Work

extension Preprocessing {
  /// One of the images of a case that a network reads, as one of its input channels.
  package struct Channel: Hashable, Sendable, Codable {
    /// The name of the one channel of a model that names none.
    package static let defaultName = "image"

    /// "T1", "CT".
    package var name: String
    package var normalisation: Normalisation

    /// The channel `name` of images that are normalised by `normalisation`.
    package init(name: String = Channel.defaultName, normalisation: Normalisation) {
      self.name = name
      self.normalisation = normalisation
    }
  }

  /// "T1, T2, FLAIR".
  package var channelNames: String { channels.map(\.name).joined(separator: ", ") }

  /// Checks that a case has one image for each channel.
  /// - Parameters:
  ///   - subject: What takes the images: the model.
  ///   - remedy: How further images are given, for the error.
  /// - Throws: ``InputError`` for another number of images, which names the channels.
  package func require(imageCount: Int, subject: String, remedy: String = "") throws(InputError) {
    guard imageCount != channels.count else { return }
    throw InputError(
      subject,
      channels.count == 1 ? "takes one image of a case" : "takes several images of a case: \(channelNames)",
      found: "\(imageCount)", expected: "\(channels.count)" + (imageCount < channels.count ? remedy : ""))
  }

  /// The images of a case, all on the grid of the first, from which others may differ by rounding.
  /// - Throws: ``InputError`` when there is not one image for each channel, or one lies on other voxels than the first.
  func onOneGrid(_ images: [ScalarVolume]) throws(InputError) -> [ScalarVolume] {
    try require(imageCount: images.count, subject: "network")
    for (channel, image) in zip(channels, images).dropFirst() {
      try GridFit.requireSame(
        image.grid, as: images[0].grid, subject: channel.name, imageName: channels[0].name)
    }
    return images.map { ScalarVolume(grid: images[0].grid, voxels: $0.voxels) }
  }
}

extension Preprocessing: Codable {
  private enum Key: CodingKey {
    case orientation, spacingMillimetres, normalisation, channels, trainedExtentsMillimetres
  }

  /// Reads `"channels": [{"name": "T1", "normalisation": …}, …]` or, of a network that reads one image,
  /// `"normalisation": …`.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    let channels =
      try values.decodeIfPresent([Channel].self, forKey: .channels)
      ?? [Channel(normalisation: values.decode(Normalisation.self, forKey: .normalisation))]
    guard !channels.isEmpty else {
      throw DecodingError.dataCorruptedError(forKey: .channels, in: values, debugDescription: "no channel")
    }
    self.init(
      orientation: try values.decode(String.self, forKey: .orientation),
      spacingMillimetres: try values.decode(Spacing.self, forKey: .spacingMillimetres), channels: channels,
      trainedExtentsMillimetres: try values.decodeIfPresent(
        [ClosedRange<Double>].self, forKey: .trainedExtentsMillimetres))
  }

  /// Writes what ``init(from:)`` reads; one channel without a name as `"normalisation"` alone.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(orientation, forKey: .orientation)
    try values.encode(spacingMillimetres, forKey: .spacingMillimetres)
    if channels.count == 1, channels[0].name == Channel.defaultName {
      try values.encode(normalisation, forKey: .normalisation)
    } else {
      try values.encode(channels, forKey: .channels)
    }
    try values.encodeIfPresent(trainedExtentsMillimetres, forKey: .trainedExtentsMillimetres)
  }
}

extension [ScalarVolume] {
  /// The values of the images of a case, [channel, k, j, i].
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels); the floats of a single image are not copied.
  func channelFloats(work: WorkContext) throws(Cancelled) -> [Float] {
    var values = try self[0].voxels.floats(work: work)
    for image in dropFirst() { values += try image.voxels.floats(work: work) }
    return values
  }
}
