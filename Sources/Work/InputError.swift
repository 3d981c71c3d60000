/// Why something that the user gave cannot be used: one line that says what, where, found and expected.
package struct InputError: Error, Hashable, CustomStringConvertible, Sendable {
  /// The file, folder or option.
  package var subject: String
  /// What is wrong and where: "header ends early at byte 120".
  package var problem: String
  /// What was found, where that helps.
  package var found: String?
  /// What would have been right, where that helps.
  package var expected: String?

  /// An error about `subject`.
  package init(_ subject: String, _ problem: String, found: String? = nil, expected: String? = nil) {
    self.subject = subject
    self.problem = problem
    self.found = found
    self.expected = expected
  }

  /// "scan.nii: header ends early at byte 120: found 120 bytes, expected 348", always one line.
  package var description: String {
    var line = "\(subject): \(problem)"
    let details = [found.map { "found \($0)" }, expected.map { "expected \($0)" }].compactMap(\.self)
    if !details.isEmpty { line += ": " + details.joined(separator: ", ") }
    // Names and texts come from files: nothing that a terminal would obey gets through.
    return line.printableLine
  }
}
