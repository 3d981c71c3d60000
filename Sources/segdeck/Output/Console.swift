import Foundation
import Work

/// The output of commands: results on stdout, notes and errors on stderr.
///
/// Terminal controls in texts are removed. A stream that is closed, full or broken never ends the program by itself.
enum Console {
  /// Writes a result and a line break to stdout.
  ///
  /// Line breaks in `text` are printed. So texts of files must be `printableLine`s.
  /// - Throws: ``InputError`` when stdout is closed, full or broken.
  static func print(_ text: String) throws(InputError) {
    try write(cleaned(text) + "\n", to: STDOUT_FILENO, name: "standard output")
  }

  /// Writes lines with escape sequences of the program, such as colours, to stdout.
  ///
  /// Texts of files in them must be `printableLine`s.
  /// - Throws: As ``print(_:)``.
  static func print(drawing lines: String) throws(InputError) {
    try write(lines + "\n", to: STDOUT_FILENO, name: "standard output")
  }

  /// Writes JSON to stdout; terminal controls are escaped as in JSON strings.
  /// - Throws: As ``print(_:)``.
  static func print(json: Data) throws(InputError) {
    try write(
      String(decoding: json.escapingTerminalControls, as: UTF8.self) + "\n", to: STDOUT_FILENO,
      name: "standard output")
  }

  /// Writes "segdeck: note: LINE" to stderr; errors are ignored.
  static func note(_ line: String) { message("note: \(line)") }

  /// Writes "segdeck: LINE" to stderr; errors are ignored.
  static func message(_ line: String) {
    try? write("segdeck: \(line.printableLine)\n", to: STDERR_FILENO, name: "standard error")
  }

  /// Writes text with escape sequences of the program to stderr; errors are ignored.
  static func paint(_ sequence: String) {
    try? write(sequence, to: STDERR_FILENO, name: "standard error")
  }

  private static func cleaned(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printableLine }
      .joined(separator: "\n")
  }

  private static func write(_ text: String, to descriptor: Int32, name: String) throws(InputError) {
    var failure: Int32 = 0
    var copy = text
    copy.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count < 0 {
          if errno == EINTR { continue }
          failure = errno
          return
        }
        written += count
      }
    }
    if failure != 0 {
      throw InputError(name, "cannot be written", found: String(cString: strerror(failure)))
    }
  }
}
