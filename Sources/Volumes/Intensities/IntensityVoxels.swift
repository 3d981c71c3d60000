import Work

/// The intensities of a volume, i fastest, in the type in which they are stored: integers of 8 or 16 bits with a scaling,
/// or 32-bit floats.
///
/// A CT of 16-bit integers takes 2 bytes per voxel instead of the 4 of its floats. Values are 32-bit floats, computed where
/// they are read: loops of this library read voxels of every type (``IntensityLoop``), others read rows or pieces of values
/// (``withValues(in:_:)``, ``forEachPiece(_:)``). Two are equal where all values are equal, in whatever types they are stored.
package struct IntensityVoxels: Sendable {
  /// The stored numbers.
  package enum Numbers: Sendable {
    case uint8([UInt8])
    case int8([Int8])
    case uint16([UInt16])
    case int16([Int16])
    case float32([Float])
  }

  private let numbers: Numbers
  private let scaling: VoxelScaling

  /// Values as they are.
  package init(_ values: [Float]) {
    numbers = .float32(values)
    scaling = VoxelScaling()
  }

  /// Integers, whose values under `scaling` must be finite (``StoredInteger/areFinite(under:)``).
  package init<Number: StoredInteger>(_ numbers: [Number], scaling: VoxelScaling = VoxelScaling()) {
    precondition(Number.areFinite(under: scaling), "\(scaling) of \(Number.self)")
    self.numbers = Number.voxels(numbers)
    self.scaling = scaling
  }

  /// Bytes of the stored numbers.
  package var byteCount: Int {
    switch numbers {
    case .uint8, .int8: count
    case .uint16, .int16: 2 * count
    case .float32: 4 * count
    }
  }

  /// Calls `body` with numbers of this volume and their scaling.
  private func with<Number: StoredIntensity, Result, Failure: Error>(
    _ numbers: [Number], _ body: (StoredValues<Number>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try numbers.withUnsafeBufferPointer { numbers throws(Failure) in
      try body(StoredValues(numbers: SharedBuffer(numbers), scaling: scaling))
    }
  }

  /// Runs `loop` over the stored numbers.
  func run<Loop: IntensityLoop>(_ loop: Loop) throws(Loop.Failure) -> Loop.Result {
    if case .float32(let numbers) = numbers {
      return try with(numbers) { values throws(Loop.Failure) in try loop.run(over: values) }
    }
    guard let result = try run(onIntegers: LoopOnIntegers(loop: loop)) else {
      preconditionFailure("numbers are integers or floats")
    }
    return result
  }

  /// Runs `loop` over the stored integers; nil where floats are stored.
  func run<Loop: IntegerLoop>(onIntegers loop: Loop) throws(Loop.Failure) -> Loop.Result? {
    func run<Number: StoredInteger>(_ numbers: [Number]) throws(Loop.Failure) -> Loop.Result {
      try with(numbers) { values throws(Loop.Failure) in try loop.run(over: values) }
    }
    switch numbers {
    case .uint8(let numbers): return try run(numbers)
    case .int8(let numbers): return try run(numbers)
    case .uint16(let numbers): return try run(numbers)
    case .int16(let numbers): return try run(numbers)
    case .float32: return nil
    }
  }
}

/// A computation on voxels of every type, where integers are stored.
private struct LoopOnIntegers<Loop: IntensityLoop>: IntegerLoop {
  let loop: Loop

  func run<Number: StoredInteger>(
    over values: StoredValues<Number>
  ) throws(Loop.Failure) -> Loop.Result {
    try loop.run(over: values)
  }
}

extension IntensityVoxels: RandomAccessCollection {
  package var startIndex: Int { 0 }

  package var endIndex: Int {
    switch numbers {
    case .uint8(let numbers): numbers.count
    case .int8(let numbers): numbers.count
    case .uint16(let numbers): numbers.count
    case .int16(let numbers): numbers.count
    case .float32(let numbers): numbers.count
    }
  }

  /// The value of a voxel; for single ones, because each finds the type anew.
  package subscript(offset: Int) -> Float {
    switch numbers {
    case .uint8(let numbers): numbers[offset].value(scaling)
    case .int8(let numbers): numbers[offset].value(scaling)
    case .uint16(let numbers): numbers[offset].value(scaling)
    case .int16(let numbers): numbers[offset].value(scaling)
    case .float32(let numbers): numbers[offset]
    }
  }
}

// MARK: - Values

extension IntensityVoxels {
  /// Calls `body` with the values of consecutive voxels: floats where they are, integers converted to memory for `range`.
  package func withValues<Result, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "voxels \(range) of \(count)")
    if case .float32(let values) = numbers {
      return try values.withUnsafeBufferPointer { values throws(Failure) in
        try body(UnsafeBufferPointer(rebasing: values[range]))
      }
    }
    let converted = [Float](unsafeUninitializedCapacity: range.count) { values, written in
      if let start = values.baseAddress { run(ValueWriting(range: range, target: start)) }
      written = range.count
    }
    return try converted.withUnsafeBufferPointer(body)
  }

  /// Calls `body` with the values of all voxels in pieces, in the order of memory.
  package func forEachPiece<Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    // Small enough that the values are still in the processor's cache when `body` reads them.
    let piece = 1 << 16
    for start in stride(from: 0, to: count, by: piece) {
      try withValues(in: start..<Swift.min(start + piece, count), body)
    }
  }

  /// All values, for algorithms that need them in one array: 4 bytes per voxel, and no copy of floats.
  /// - Throws: `Cancelled`.
  package func floats(work: WorkContext) throws(Cancelled) -> [Float] {
    if case .float32(let values) = numbers { return values }
    return try run(Conversion(work: work))
  }

  /// The value of every `step`th voxel, the first voxel's first.
  package func sampled(every step: Int) -> [Float] { run(Sampling(step: step)) }

  /// The values inside `box` of a volume of `size`, in order of memory, converted by all threads.
  /// - Throws: `Cancelled`.
  package func cropped(to box: VoxelBounds, size: GridSize, work: WorkContext) throws(Cancelled) -> [Float] {
    try run(Cropping(box: box, size: size, work: work))
  }

  /// The voxels in the order of `reorientation`, in the same type.
  /// - Throws: `Cancelled`.
  func reordered(
    by reorientation: Reorientation, size: GridSize, work: WorkContext
  ) throws(Cancelled) -> IntensityVoxels {
    if reorientation.isIdentity { return self }
    return try run(Reordering(reorientation: reorientation, size: size, work: work))
  }

  fileprivate init(_ numbers: Numbers, _ scaling: VoxelScaling) {
    self.numbers = numbers
    self.scaling = scaling
  }
}

private struct ValueWriting: IntensityLoop {
  let range: Range<Int>
  let target: UnsafeMutablePointer<Float>

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) { values.write(range, to: target) }
}

private struct Sampling: IntensityLoop {
  let step: Int

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) -> [Float] {
    stride(from: 0, to: values.count, by: step).map { values[$0] }
  }
}

private struct Conversion: IntensityLoop {
  let work: WorkContext

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Cancelled) -> [Float] {
    let piece = 1 << 18
    return try [Float](count: values.count) { floats throws(Cancelled) in
      try work.forEach(count: (values.count + piece - 1) / piece) { index, _ in
        let start = index * piece
        values.write(start..<min(start + piece, values.count), to: floats.start + start)
      }
    }
  }
}

private struct Cropping: IntensityLoop {
  let box: VoxelBounds
  let size: GridSize
  let work: WorkContext

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Cancelled) -> [Float] {
    let part = box.size
    return try [Float](count: part.voxelCount) { floats throws(Cancelled) in
      try work.forEach(count: part.k) { k, _ in
        for j in 0..<part.j {
          let row = size.offset(box.lower + VoxelIndex(0, j, k))
          values.write(row..<row + part.i, to: floats.start + (k * part.j + j) * part.i)
        }
      }
    }
  }
}

private struct Reordering: IntensityLoop {
  let reorientation: Reorientation
  let size: GridSize
  let work: WorkContext

  func run<Number: StoredIntensity>(over values: StoredValues<Number>) throws(Cancelled) -> IntensityVoxels {
    let numbers = try reorientation.reordered(values.numbers, size: size, work: work)
    return IntensityVoxels(Number.voxels(numbers), values.scaling)
  }
}

// MARK: - Equality

extension IntensityVoxels: Equatable {
  package static func == (one: Self, other: Self) -> Bool {
    if one.isIdentical(to: other) { return true }
    guard one.count == other.count else { return false }
    let piece = 1 << 16
    return stride(from: 0, to: one.count, by: piece).allSatisfy { start in
      let range = start..<Swift.min(start + piece, one.count)
      return one.withValues(in: range) { values in
        other.withValues(in: range) { values.elementsEqual($0) }
      }
    }
  }

  /// Whether both are the same voxels in the same memory, as copies of a volume are until one of them is changed.
  package func isIdentical(to other: IntensityVoxels) -> Bool {
    count == other.count && scaling == other.scaling && run(Address()) == other.run(Address())
  }
}

private struct Address: IntensityLoop {
  func run<Number: StoredIntensity>(over values: StoredValues<Number>) -> UnsafeRawPointer {
    UnsafeRawPointer(values.numbers.start)
  }
}
