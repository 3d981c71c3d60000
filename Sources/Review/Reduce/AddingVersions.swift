extension ReviewState {
  /// Adds a version as B, shows it, and makes the version that it is compared with A.
  ///
  /// - Parameters:
  ///   - step: The name of the step of the history; "show NAME" unless given.
  ///   - change: Changes further decisions in the same step.
  mutating func add(
    _ version: Version, comparedWith other: VersionID?, as step: String? = nil,
    _ change: (inout Decisions) -> Void = { _ in }
  ) -> [ReviewEffect] {
    let name = cleaned(version.name)
    decide(step ?? "show \(name)") {
      $0.versions.append(version)
      $0.a = other ?? version.id
      $0.b = other == nil ? nil : version.id
      $0.shownSide = other == nil ? .a : .b
      change(&$0)
    }
    selectedVersion = version.id
    if version.warnings.isEmpty {
      message = Message("\(name) is shown" + (other == nil ? "" : "; Tab flips, d shows the difference"))
    } else {
      let warnings = version.warnings.joined(separator: ", ")
      // The network's name is often that of its label.
      message = Message(warnings.hasPrefix("\(name): ") ? warnings : "\(name): " + warnings, .warning)
    }
    return compareIfNeeded()
  }

  /// The origin of a version that was refined with these knobs.
  func refinementOrigin(_ base: Version, _ knobs: KnobSettings) -> Version.Origin {
    let confidence = base.probabilities == nil ? knobs.maskConfidence : nil
    return .refinement(of: base.id, settings: knobs.refinement, maskConfidence: confidence)
  }

  /// A number that no version had before.
  mutating func makeVersionID() -> VersionID {
    defer { nextVersionNumber += 1 }
    return VersionID(nextVersionNumber)
  }

  func uniqueName(_ name: String) -> String {
    let used = Set(decisions.versions.map(\.name))
    guard used.contains(name) else { return name }
    return (2...).lazy.map { "\(name) \($0)" }.first { !used.contains($0) } ?? name
  }
}
