import Volumes
import Work

extension ReviewState {
  /// The angle in degrees from which a grid counts as oblique; a smaller one is neither visible nor relevant to
  /// measures.
  private static let minimumDegrees = 1.0

  /// An angle in whole degrees.
  private func degrees(_ angle: Double) -> Int { Int(saturating: angle.rounded()) }

  /// Unusual properties of the image's axes, a word or two each.
  var gridNotes: [String] {
    var notes: [String] = []
    if grid.obliqueDegrees >= ReviewState.minimumDegrees {
      notes.append("oblique \(degrees(grid.obliqueDegrees))°")
    }
    if grid.shearDegrees >= ReviewState.minimumDegrees {
      notes.append("sheared \(degrees(grid.shearDegrees))°")
    }
    return notes
  }

  /// The plane of an image of a single slice; nil for other images.
  var onlyPlane: AnatomicalPlane? {
    let planes = [AnatomicalPlane.axial, .coronal, .sagittal].filter { geometry($0).sliceCount == 1 }
    return planes.count == 1 ? planes[0] : nil
  }

  /// Shows the messages about the opened case; the most important one stays on the screen.
  mutating func showOpeningMessages() {
    showMessagesOfFiles()
    if let announcement { announce(announcement.text, announcement.kind) }
    if ignoresTyping { ignoreTyping("the case was still being opened") }
  }

  /// Shows what was decided about the case before this one, or why nothing was about this one, in front of a warning about
  /// this one, until the case is left.
  mutating func announce(_ text: String, _ kind: Message.Kind = .note) {
    let warning = message.flatMap {
      $0.kind == .note || $0.text == text || $0.text == announcement?.text ? nil : $0
    }
    announcement = Message(text, kind)
    message = Message(text + (warning.map { "; " + $0.text } ?? ""), warning?.kind ?? kind)
  }

  /// Takes the announcement out of the message: what it says may be false when the reader comes back.
  mutating func endAnnouncement() {
    guard let text = announcement?.text else { return }
    announcement = nil
    guard let message, message.text.hasPrefix(text) else { return }
    let rest = message.text.dropFirst(text.count)
    self.message = rest.hasPrefix("; ") ? Message(String(rest.dropFirst(2)), message.kind) : nil
  }

  /// Shows the messages about the opened files.
  private mutating func showMessagesOfFiles() {
    var lines = content.refusals.map { Message("not opened: \($0)", .error) }
    if let frameText { lines.append(Message("\(frameText); ( and ) change it", .warning)) }
    lines += content.findings.map { Message($0, .warning) }
    if grid.obliqueDegrees >= ReviewState.minimumDegrees {
      lines.append(
        Message(
          "the image lies oblique by \(degrees(grid.obliqueDegrees))°: its planes are named after the nearest"
            + " anatomical ones", .warning))
    }
    if grid.shearDegrees >= ReviewState.minimumDegrees {
      lines.append(
        Message(
          "the image's axes are sheared by \(degrees(grid.shearDegrees))°: the panes draw them at right angles",
          .warning))
    }
    if let plane = onlyPlane {
      lines.append(Message("the image is one \(plane.rawValue) slice", .note))
    }
    guard var first = lines.first else {
      message = Message(
        decisions.versions.isEmpty
          ? "no mask: m runs a network, \(ReviewState.keyReferenceHint)" : ReviewState.keyReferenceHint)
      return
    }
    for line in lines.dropFirst() { messageLog.add(line) }
    if lines.count > 1 { first.text += " (M: \(lines.count - 1) more)" }
    message = first
  }

  /// The message after opening where there is no other.
  private static let keyReferenceHint = "? lists the keys"

  /// Shows a message that no key caused: appended to the present message if no key caused that either.
  mutating func appendMessage(_ text: String) {
    let earlier = message?.text == ReviewState.keyReferenceHint ? nil : message
    message = Message((earlier.map { $0.text + "; " } ?? "") + text, earlier?.kind ?? .note)
  }

  /// The names of masks in the versions list: their file names, preceded by the folders in which equal names differ.
  static func distinctNames(_ masks: [LoadedMask]) -> [String] {
    distinctNames(masks.map { ($0.name, $0.path) })
  }

  /// The same of masks that are not loaded.
  /// - Parameter masks: The name and the full path of each.
  package static func distinctNames(_ masks: [(name: String, path: String)]) -> [String] {
    masks.map { mask in
      let rivals = masks.filter { $0.name == mask.name && $0.path != mask.path }
      let parts = mask.path.split(separator: "/")
      guard !rivals.isEmpty, parts.count > 1 else { return mask.name }
      let endings = (2...parts.count).map { parts.suffix($0).joined(separator: "/") }
      return endings.first { ending in !rivals.contains { $0.path.hasSuffix("/" + ending) } } ?? mask.path
    }
  }
}
