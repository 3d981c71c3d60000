import Work

/// The user's choice of one image in a file or folder that holds several; without a choice there must be only one.
package struct ImageReadingOptions: Hashable, Sendable, Codable {
  /// A choice that a file may leave to the user.
  package enum Choice: String, CaseIterable, Sendable {
    /// One of several series in a folder.
    case series
    /// One segment of a segmentation, whose segments may overlap.
    case segment
    /// One layer of a segmentation; the segments of a layer do not overlap.
    case layer
  }

  /// The series, as its format identifies it.
  package var series: String?
  /// The segment, by its name, identifier or number: its label in the mask of all segments.
  package var segment: String?
  /// The layer, counted from 0.
  package var layer: Int?

  package init(series: String? = nil, segment: String? = nil, layer: Int? = nil) {
    self.series = series
    self.segment = segment
    self.layer = layer
  }

  /// Whether nothing was chosen.
  package var isEmpty: Bool { self == ImageReadingOptions() }

  /// The same choices, but those that `choices` lacks.
  package func limited(to choices: Set<Choice>) -> ImageReadingOptions {
    ImageReadingOptions(
      series: choices.contains(.series) ? series : nil, segment: choices.contains(.segment) ? segment : nil,
      layer: choices.contains(.layer) ? layer : nil)
  }

  /// The options of a command that make the same choices: "--segment", "liver".
  package var words: [String] {
    Choice.allCases.flatMap { choice in value(choice).map { ["--\(choice.rawValue)", $0] } ?? [] }
  }

  /// The value of a choice as text; nil where it was not made.
  func value(_ choice: Choice) -> String? {
    switch choice {
    case .series: series
    case .segment: segment
    case .layer: layer.map(String.init)
    }
  }

  /// Refuses a choice that the format of a file does not leave to the user.
  func requireOnly(_ choices: Set<Choice>, of path: String, _ format: String) throws(InputError) {
    for choice in Choice.allCases where !choices.contains(choice) {
      guard let value = value(choice) else { continue }
      throw InputError(
        path, "leaves no \(choice.rawValue) to choose", found: "--\(choice.rawValue) \(value)",
        expected: choice == .layer && choices.contains(.segment)
          ? "--segment, as \(format) has no layers" : "no such option with \(format)")
    }
  }
}
