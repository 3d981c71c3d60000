import Work

/// An array of the graph that does not depend on the image.
struct Constant {
  enum Elements {
    case floats([Float])
    case integers([Int])
    /// As the file has them, decoded where they are needed: weights.
    case stored(TensorProto)
  }

  /// The name of the value, by which layers are named: "encoder.conv.weight".
  var name: String
  var shape: [Int]
  var elements: Elements
  /// The model's file, beside which external data lies.
  var path: String

  init(_ tensor: TensorProto, path: String) throws(InputError) {
    _ = try tensor.elementCount(path: path)
    name = tensor.name
    shape = tensor.shape
    elements = .stored(tensor)
    self.path = path
  }

  init(shape: [Int], _ elements: Elements, path: String) {
    name = ""
    self.shape = shape
    self.elements = elements
    self.path = path
  }

  /// A list of integers.
  init(_ integers: [Int], path: String) {
    self.init(shape: [integers.count], .integers(integers), path: path)
  }

  var elementCount: Int { shape.reduce(1, *) }

  /// Whether the elements are real numbers.
  /// - Throws: ``InputError`` for elements of a type that is not read.
  func isFloating() throws(InputError) -> Bool {
    switch elements {
    case .floats: true
    case .integers: false
    case .stored(let tensor): try tensor.type(path: path).isFloating
    }
  }

  /// - Throws: ``InputError`` where the file's elements cannot be read.
  /// - Complexity: O(elements).
  func floats() throws(InputError) -> [Float] {
    switch elements {
    case .floats(let floats): floats
    case .integers(let integers): integers.map { Float($0) }
    case .stored(let tensor): try tensor.floats(path: path)
    }
  }

  /// - Throws: ``InputError`` where the elements are real numbers, or cannot be read.
  func integers() throws(InputError) -> [Int] {
    switch elements {
    case .floats: throw InputError(path, "value \(name): its elements are real numbers", expected: "integers")
    case .integers(let integers): integers
    case .stored(let tensor): try tensor.integers(path: path)
    }
  }
}
