import Networks
import Testing

/// A change that makes a graph invalid, and the error that describes it.
struct GraphFault: Sendable, CustomTestStringConvertible {
  let line: String
  let change: @Sendable (inout NetworkGraph) -> Void
  var testDescription: String { line }

  init(_ line: String, _ change: @escaping @Sendable (inout NetworkGraph) -> Void) {
    self.line = line
    self.change = change
  }
}
