import Foundation
import TestSupport
import Testing

/// Targets whose floating values come from files, options or knobs.
private let targets = [
  "Work", "Volumes", "ImageFormats", "Metrics", "Journal", "DenseCRF", "Networks", "Segmentation", "Review",
  "ONNX", "Worklist", "RefinementAdapter", "CursesTerminal", "Pictures", "Report", "Cohort", "segdeck",
]

/// Lines that convert a floating value by an integer initialiser that traps on values it cannot represent.
///
/// The text shows such a conversion as an integer type's initialiser without a label around a rounding or a floating
/// conversion. Lines with a comment "cannot trap" are excluded.
private func unguardedConversions(_ text: String) -> [String] {
  let start = /(?:^|[^\w.])U?Int(?:8|16|32|64)?\((?!\w+: )/
  return text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line in
    let code = line.trimmingCharacters(in: .whitespaces)
    guard !code.hasPrefix("//"), !code.contains("cannot trap") else { return nil }
    for match in code.matches(of: start) {
      var depth = 1
      let argument = code[match.range.upperBound...].prefix { character in
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        return depth > 0
      }
      let marks = [".rounded(", "Double(", "Float(", "floor(", "ceil("]
      if marks.contains(where: argument.contains) { return code }
    }
    return nil
  }
}

@Test("floating values become integers only by initialisers that cannot trap")
func conversionsCannotTrap() throws {
  var found: [String] = []
  var fileCount = 0
  for target in targets {
    let folder = checkout.appending(path: "Sources/\(target)")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift" else { continue }
      fileCount += 1
      let text = try String(contentsOf: file, encoding: .utf8)
      found += unguardedConversions(text).map { "\(file.lastPathComponent): \($0)" }
    }
  }
  #expect(found == [])
  #expect(fileCount > 100)
}

@Test("a planted conversion that traps is found")
func plantedConversionIsSeen() {
  #expect(unguardedConversions("  let a = Int(x.rounded())") == ["let a = Int(x.rounded())"])
  #expect(unguardedConversions("let b = [UInt8(255 * Double(y))]") == ["let b = [UInt8(255 * Double(y))]"])
  let right = """
    let a = Int(saturating: x.rounded()) + Int(label)
    let b = Int(exactly: x.rounded())
    let c = Int(min(x, 5).rounded())  // cannot trap: at most 5
    // Int(x.rounded()) would trap
    let d = Double(Int(c)) + Double(y)
    """
  #expect(unguardedConversions(right) == [])
}
