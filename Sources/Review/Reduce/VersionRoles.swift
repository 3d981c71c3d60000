import Screen

extension Action {
  /// A role that the selected version of the list can get.
  package enum VersionRole: ActionGroup {
    case a, b, shown

    static let bindings: [KeyBinding] = [
      KeyTable.bind(section, [.enter], .version(.shown), "show this version", bar: "show"),
      KeyTable.bind(section, ["a"], .version(.a), "make it A", bar: "as A"),
      KeyTable.bind(section, ["b"], .version(.b), "make it B", bar: "as B"),
    ]

    private static let section = KeyContext.section(VersionSection().id)
  }
}

extension ReviewState {
  /// Makes the selected version A, B or the one that is shown.
  mutating func useVersion(as role: Action.VersionRole) -> [ReviewEffect] {
    guard let id = selectedVersion, let version = version(id) else { return [] }
    let name = cleaned(version.name)
    switch role {
    case .a:
      decide("A is \(name)") {
        if $0.b == id { $0.b = $0.a }
        $0.a = id
        $0.shownSide = .a
      }
    case .b:
      guard decisions.a != id || decisions.b != nil else {
        message = Message("A and B would be the same version", .warning)
        return []
      }
      decide("B is \(name)") {
        if $0.a == id { $0.a = $0.b }
        $0.b = id
        $0.shownSide = .b
      }
    case .shown:
      if decisions.a == id || decisions.b == id {
        decisions.shownSide = decisions.a == id ? .a : .b
      } else {
        decide("show \(name)") {
          if $0.shownSide == .a || $0.a == nil { $0.a = id } else { $0.b = id }
        }
      }
    }
    return compareIfNeeded()
  }
}
