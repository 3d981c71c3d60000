import Networks
import Tensors
import TestSupport
import Testing

/// A file of reference arrays.
struct GoldenFile {
  let file: TensorFile

  init(_ name: String) throws {
    file = try TensorFile(
      path: checkout.appending(path: "Tests/NetworksTests/Golden/\(name).safetensors").path)
  }

  /// The tensor of that name with the shape the file gives it.
  func callAsFunction(_ name: String) throws -> Tensor {
    try file.tensor(name, shape: try #require(file.shape(of: name), "no tensor \(name)"))
  }

  /// The labels stored as whole floats.
  func labels(_ name: String) throws -> [UInt8] { try self(name).elements.map { UInt8($0) } }

  /// The parameters of a graph.
  func parameters(of graph: ResolvedGraph) throws -> Parameters {
    var tensors: [String: Tensor] = [:]
    for slot in graph.parameterSlots { tensors[slot.name] = try file.tensor(slot.name, shape: slot.shape) }
    return try Parameters(tensors, for: graph, subject: file.path)
  }
}

/// max |a - b| / max |b|; infinite where counts differ or something is not a number.
func relativeError(_ values: [Float], _ expected: [Float]) -> Float {
  guard values.count == expected.count, !expected.isEmpty else { return .infinity }
  var difference: Float = 0
  var largest: Float = 0
  for (value, wanted) in zip(values, expected) {
    guard value.isFinite, wanted.isFinite else { return .infinity }
    difference = max(difference, abs(value - wanted))
    largest = max(largest, abs(wanted))
  }
  return difference / largest
}

/// Every `step`th value of an array as long as those that reference files shorten, else all.
func shortened(_ values: [Float], _ step: Int) -> [Float] {
  values.count > 2000 ? stride(from: 0, to: values.count, by: step).map { values[$0] } : values
}
