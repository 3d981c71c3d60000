import Work

/// A choice by name with numbers, as options state it: "focal(gamma=2)"; numbers that are not stated have their defaults.
package struct NamedSetting: Hashable, Sendable {
  /// A number that belongs to a choice.
  package struct Number: Hashable, Sendable {
    package var name: String
    package var value: Double

    package init(_ name: String, _ value: Double) {
      self.name = name
      self.value = value
    }
  }

  package var name: String
  /// All numbers of the choice, in the order in which they are written.
  package var numbers: [Number]

  package init(_ name: String, _ numbers: [Number] = []) {
    self.name = name
    self.numbers = numbers
  }

  /// Reads `text` as one of `choices`, which have the defaults.
  /// - Throws: ``InputError`` about `option`: a name that is none of theirs, a number that the choice does not have, has
  ///   twice, or that is not finite.
  package init(_ text: some StringProtocol, of choices: [NamedSetting], option: String) throws(InputError) {
    let text = text.trimmed
    let name = text.prefix { $0 != "(" }.trimmed
    guard let choice = choices.first(where: { $0.name == name }) else {
      throw InputError(
        option, "unknown", found: name, expected: choices.map(\.name).joined(separator: ", "))
    }
    self = choice
    let rest = text.dropFirst(text.prefix { $0 != "(" }.count)
    guard !rest.isEmpty else { return }
    guard rest.count > 2, rest.last == ")" else {
      throw InputError(option, "cannot be read", found: text, expected: choice.description)
    }
    var stated: Set<String> = []
    for assignment in rest.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
      let sides = assignment.split(separator: "=", omittingEmptySubsequences: false).map(\.trimmed)
      guard sides.count == 2, let index = numbers.firstIndex(where: { $0.name == sides[0] }),
        let value = Double(sides[1]), value.isFinite, stated.insert(sides[0]).inserted
      else {
        throw InputError(
          option, "\(name) cannot have \(assignment.trimmed)", found: text, expected: choice.description)
      }
      numbers[index].value = value
    }
  }

  /// The number called `name`, which the choice must have.
  package subscript(name: String) -> Double {
    guard let number = numbers.first(where: { $0.name == name }) else {
      preconditionFailure("\(self.name) has no \(name)")
    }
    return number.value
  }
}

extension NamedSetting: CustomStringConvertible {
  /// The text that ``init(_:of:option:)`` reads, with every number.
  package var description: String {
    guard !numbers.isEmpty else { return name }
    return name + "(" + numbers.map { "\($0.name)=\(shortest($0.value))" }.joined(separator: ",") + ")"
  }
}

extension StringProtocol {
  /// The text without spaces at its ends.
  fileprivate var trimmed: String {
    var text = self[...]
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

/// The shortest text that gives the number again: "2", "0.5".
func shortest(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
