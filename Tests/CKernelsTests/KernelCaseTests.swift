import CKernels
import CKernelsCases
import Foundation
import TestSupport
import Testing

/// Every level that this processor has.
private let levels = (0...kernels_current_level().rawValue).map { kernels_level(rawValue: $0) }

@Test("every kernel agrees with plain loops in double precision", arguments: levels)
func kernelsMatchPlainLoops(level: kernels_level) {
  var failures: [String] = []
  let compared = withUnsafeMutablePointer(to: &failures) { failures in
    kernel_cases_run(
      level,
      { context, line in
        guard let context, let line else { return }
        context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: line))
      }, failures)
  }
  #expect(failures == [])
  #expect(compared > 1000)
}

/// The functions that a header declares, pointers to functions among them.
private func functions(declaredIn header: String) -> Set<String> {
  var names: Set<String> = []
  for line in header.split(separator: "\n") where !line.hasPrefix("//") {
    let code = line.prefix { $0 != ";" }
    guard !code.hasPrefix("typedef") else { continue }
    if let pointer = code.firstMatch(of: /\(\*([a-z_0-9]+)\)\(/) {
      names.insert(String(pointer.1))
    } else if let function = code.firstMatch(of: /^[a-z][a-z_0-9 *]*?([a-z_0-9]+)\(/) {
      names.insert(String(function.1))
    }
  }
  return names
}

@Test("the table of cases has every entry point of the kernels")
func tableIsComplete() throws {
  func texts(_ folder: String, ending: String) throws -> [String] {
    let folder = checkout.appending(path: folder)
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == ending }.map { try String(contentsOf: $0, encoding: .utf8) }
  }
  let headers = try texts("Sources/CKernels/include", ending: "h")
  let declared = Set(headers.flatMap { functions(declaredIn: $0) })
  let cases = try texts("Tests/CKernelsCases", ending: "cpp").joined()
  #expect(declared.count > 30)
  #expect(declared.filter { !cases.contains("\($0)(") } == [])
}

@Test("a header's functions and pointers to functions are found")
func declarationsAreFound() {
  let header = """
    // comment(with, parentheses)
    const int *one_of(int *count);
    struct table {
        void (*pass)(float *out,
                     size_t count);
    };
    void long_one(int a,
                  int b);
    typedef void (*receiver)(int);
    """
  #expect(functions(declaredIn: header) == ["one_of", "pass", "long_one"])
}
