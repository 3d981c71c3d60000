/// An invalid input, described in one line: subject, problem, found, expected.
package struct InputError: Error, Hashable, CustomStringConvertible, Sendable {
  /// The file, folder or option.
  package var subject: String
  /// The problem and its position: "header ends early at byte 120".
  package var problem: String
  /// The value found; nil where it does not help.
  package var found: String?
  /// The value expected; nil where it does not help.
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
    // Names and texts come from files and may hold escape sequences.
    return line.printableLine
  }
}
