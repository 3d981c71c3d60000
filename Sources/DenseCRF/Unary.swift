import CKernels
import Volumes
import Work

/// The unary term of the mean field: the logits of each class against class 0.
///
/// It depends on the probabilities only; reuse it while kernels, weights and iterations change. Memory: 4 bytes for
/// each voxel and class but one; of voxels that are of a few kinds, one byte for each voxel.
package struct Unary: Sendable {
  /// Probabilities are raised to at least this, so that logits are finite.
  package static let minimumProbability: Float = 1e-5

  /// The maximum number of classes with background, because labels of a result are bytes.
  package static let maximumClassCount = 256

  /// As many classes are computed everywhere: where they are active is not worth finding.
  static let fewClasses = 3

  /// Voxels along each axis.
  package let size: GridSize
  /// Classes, at least 2.
  package let classCount: Int
  /// Floats between the logits of two classes.
  let stride: Int
  /// `classCount - 1` times `stride` values: of each voxel, or of each kind.
  let logits: AlignedStorage<Float>
  /// The kind of each voxel, a position in the rows of logits; nil where each voxel has its own logits.
  let kinds: AlignedStorage<UInt8>?
  /// The number of rows of logits: kinds or voxels.
  var rowCount: Int { kinds == nil ? size.voxelCount : kindCount }
  private let kindCount: Int

  /// The logits of probabilities, class slowest.
  ///
  /// Probabilities of a voxel whose sum is further than 1e-3 from 1 are divided by it; then those below
  /// ``minimumProbability`` are raised to it.
  /// - Throws: ``InputError`` for a class count outside 2...256, another number of values, a negative or
  ///   non-finite one (with its class and voxel) or a voxel whose probabilities are all 0; ``Cancelled``.
  package init(
    probabilities: [Float], classCount: Int, size: GridSize, level: kernels_level = kernels_current_level(),
    work: WorkContext = WorkContext()
  ) throws {
    try self.init(
      probabilities: probabilities, classCount: classCount, of: size, in: VoxelBounds(size), level: level,
      work: work)
  }

  /// The logits inside a box of a volume of `whole`, of probabilities of all of the volume.
  /// - Throws: As ``init(probabilities:classCount:size:level:work:)``, with positions in the box.
  package init(
    probabilities: [Float], classCount: Int, of whole: GridSize, in box: VoxelBounds,
    level: kernels_level = kernels_current_level(), work: WorkContext = WorkContext()
  ) throws {
    guard (2...Self.maximumClassCount).contains(classCount) else {
      throw InputError(
        "probabilities", "have an unusable number of classes", found: "\(classCount)",
        expected: "2 to \(Self.maximumClassCount)")
    }
    guard whole.voxelCount > 0, probabilities.count == classCount * whole.voxelCount else {
      throw InputError(
        "probabilities", "do not fit the image of \(whole)", found: "\(probabilities.count) values",
        expected: "\(classCount * whole.voxelCount)")
    }
    let size = box.size
    try self.init(size: size, classCount: classCount)
    // Rows of the whole width are contiguous.
    let runs = size.i == whole.i ? 1 : size.j
    let length = size.i * size.j / runs
    var isGood = [Bool](repeating: true, count: size.k)
    try probabilities.withUnsafeBufferPointer { values in
      let values = SharedBuffer(values)
      try isGood.withUnsafeMutableBufferPointer { isGood in
        let isGood = DisjointBuffer(isGood)
        let (logits, stride) = (logits, stride)
        try work.forEach(count: size.k) { k, _ in
          let kernels: UnsafePointer<dense_crf_kernels> = dense_crf_kernels_for(level)
          for run in 0..<runs {
            let from = ((box.lower.k + k) * whole.j + box.lower.j + run) * whole.i + box.lower.i
            let good = kernels.pointee.unary(
              logits.start + (k * runs + run) * length, stride, values.start + from, whole.voxelCount,
              classCount, Self.minimumProbability, length)
            if good == 0 { isGood[k] = false }
          }
        }
      }
    }
    if let k = isGood.firstIndex(of: false) {
      let own = (0..<classCount).flatMap { index in
        probabilities[index * whole.voxelCount..<(index + 1) * whole.voxelCount].cropped(to: box, size: whole)
      }
      throw Self.firstError(own, classCount, size, voxels: k * size.i * size.j..<size.voxelCount)
    }
  }

  /// The logits inside a box of a volume whose voxels are of a few kinds.
  /// - Parameters:
  ///   - kinds: The logits of each kind, as a row of at most 256 voxels.
  ///   - values: One per voxel of the volume of `whole`.
  ///   - kindOfValue: The position in that row of the kind that each possible value means.
  /// - Throws: ``Cancelled``.
  package init(
    kinds: Unary, values: [UInt16], kindOfValue: [UInt16], of whole: GridSize, in box: VoxelBounds,
    work: WorkContext = WorkContext()
  ) throws(Cancelled) {
    precondition(values.count == whole.voxelCount, "\(values.count) values for \(whole)")
    precondition(kindOfValue.count == 65536, "\(kindOfValue.count) kinds for 65536 values")
    precondition(kinds.size.voxelCount <= 256, "\(kinds.size.voxelCount) kinds in a byte")
    let size = box.size
    let found = try AlignedStorage<UInt8>(count: size.voxelCount)
    try values.withUnsafeBufferPointer { values throws(Cancelled) in
      try kindOfValue.withUnsafeBufferPointer { kindOfValue throws(Cancelled) in
        let (values, kindOfValue) = (SharedBuffer(values), SharedBuffer(kindOfValue))
        try work.forEach(count: size.k) { k, _ in
          for j in 0..<size.j {
            let row =
              values.start + ((box.lower.k + k) * whole.j + box.lower.j + j) * whole.i + box.lower.i
            let target = found.start + (k * size.j + j) * size.i
            for i in 0..<size.i {
              target[i] = UInt8(truncatingIfNeeded: kindOfValue.start[Int(row[i])])
            }
          }
        }
      }
    }
    self.init(
      size: size, classCount: kinds.classCount, stride: kinds.stride, logits: kinds.logits, kinds: found,
      kindCount: kinds.size.voxelCount)
    // So few classes are computed everywhere, at every call.
    if classCount <= Self.fewClasses { self = try expanded(work: work) }
  }

  /// The same unary with logits of its own for every voxel; itself where it has them.
  /// - Throws: ``Cancelled``, also where memory does not hold it.
  func expanded(work: WorkContext) throws(Cancelled) -> Unary {
    guard let kinds else { return self }
    let own = try Unary(size: size, classCount: classCount)
    let (plane, channels, logits, stride) = (size.i * size.j, classCount - 1, logits, stride)
    try work.forEach(count: size.k) { k, _ in
      for channel in 0..<channels {
        let row = logits.start + channel * stride
        let target = own.logits.start + channel * own.stride
        for voxel in k * plane..<(k + 1) * plane { target[voxel] = row[Int(kinds.start[voxel])] }
      }
    }
    return own
  }

  /// The position of a voxel's logits in their rows.
  func position(_ voxel: Int) -> Int { kinds.map { Int($0.start[voxel]) } ?? voxel }

  /// Logits of 0.
  private init(size: GridSize, classCount: Int) throws(Cancelled) {
    let stride = size.voxelCount.roundedUp(toMultipleOf: 16)
    self.init(
      size: size, classCount: classCount, stride: stride,
      logits: try AlignedStorage(count: stride * (classCount - 1)))
  }

  /// The logits of a map of the probability of one foreground class, 0...1.
  /// - Throws: ``InputError`` for another number of values, or one outside 0...1 (with its voxel).
  package init(foreground: [Float], size: GridSize, work: WorkContext = WorkContext()) throws {
    if let offset = foreground.firstIndex(where: { !($0 >= 0 && $0 <= 1) }), offset < size.voxelCount {
      throw InputError(
        "foreground probability", "is wrong at voxel \(Self.name(offset, size))",
        found: "\(foreground[offset])",
        expected: "0 to 1")
    }
    try self.init(
      probabilities: foreground.map { 1 - $0 } + foreground, classCount: 2, size: size, work: work)
  }

  init(
    size: GridSize, classCount: Int, stride: Int, logits: AlignedStorage<Float>,
    kinds: AlignedStorage<UInt8>? = nil, kindCount: Int = 0
  ) {
    self.size = size
    self.classCount = classCount
    self.stride = stride
    self.logits = logits
    self.kinds = kinds
    self.kindCount = kindCount
  }

  private static func firstError(
    _ probabilities: [Float], _ classCount: Int, _ size: GridSize, voxels: Range<Int>
  ) -> InputError {
    for voxel in voxels {
      var sum: Float = 0
      for label in 0..<classCount {
        let value = probabilities[label * size.voxelCount + voxel]
        guard value >= 0, value <= 1e30 else {
          return InputError(
            "probability of class \(label)", "is wrong at voxel \(name(voxel, size))", found: "\(value)",
            expected: "a finite number from 0 on")
        }
        sum += value
      }
      if !(sum > 0) {
        return InputError("probabilities", "are all 0 at voxel \(name(voxel, size))")
      }
    }
    preconditionFailure("a kernel refused probabilities \(voxels) in which nothing is wrong")
  }

  /// "(i, j, k)" of a position in memory.
  static func name(_ offset: Int, _ size: GridSize) -> String {
    let index = size.index(offset: offset)
    return "(\(index.i), \(index.j), \(index.k))"
  }
}
