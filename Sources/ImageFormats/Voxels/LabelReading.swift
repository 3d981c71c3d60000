import Volumes
import Work

extension ImageFile {
  /// The labels of a mask of any stored type, as long as every value is a whole number, 0 or more, and
  /// no more than 65535 different ones occur.
  ///
  /// Values up to 65535 are their own codes, larger ones take free codes; see ``LabelCoding``. NaN, which some tools
  /// write outside the brain, is background. Integers that are stored with a scale count as the whole number next to
  /// them when they are no farther away than the scale's own rounding. Both leave a ``Finding``.
  ///
  /// - Parameter frame: The frame; nil for the only one.
  /// - Throws: ``InputError`` that names the first voxel that is not a label, or when the file holds several frames of
  ///   which none is named, is damaged, has too many values, or memory is too small; ``Cancelled``.
  /// - Complexity: O(n); 2 bytes per voxel and a fixed window. Values beyond 65535 take two passes more.
  package func labelVolume(frame: Int? = nil, work: WorkContext = WorkContext()) throws -> LabelVolume {
    let (volume, notANumber, scale) = try labels(frame: frame, work: work)
    note([notANumber, scale].compactMap(\.self))
    return volume
  }

  private func labels(
    frame: Int?, work: WorkContext
  ) throws -> (LabelVolume, notANumber: Finding?, scale: Finding?) {
    guard frame != nil || frameCount == 1 else {
      throw InputError(
        path, "is not a mask of labels", found: "\(frameCount) frames",
        expected: "one frame with every label, as `segdeck convert --frame` writes one of them")
    }
    let frame = frame ?? 0
    try requireFrame(frame)
    let count = grid.size.voxelCount
    try checkMemory(count * MemoryLayout<UInt16>.stride)
    let rule = LabelRule(type: voxelType, scaling: scaling)
    let (volume, notes) =
      try labels(frame, rule, LabelCoding.identity, work: work)
      ?? labels(frame, rule, coding(ofLargeValues: frame, rule, work: work), work: work) ?? (
        nil, LabelNotes()
      )
    guard let volume else { preconditionFailure("a value without a code") }
    let notANumber =
      notes.notANumberCount > 0
      ? Finding(
        "\(counted(notes.notANumberCount, "voxel of the mask is", "voxels of the mask are")) NaN",
        repair: "\(itIs(notes.notANumberCount)) read as background")
      : nil
    return (volume, notANumber, rule.scaleFinding(notes))
  }

  /// The mask in codes of `coding`; nil when a value beyond 65535 has none.
  private func labels(
    _ frame: Int, _ rule: LabelRule, _ coding: LabelCoding, work: WorkContext
  ) throws -> (LabelVolume, LabelNotes)? {
    var notes = LabelNotes()
    var lacksCode = false
    let labels: [UInt16]
    do {
      labels = try [UInt16](unsafeUninitializedCapacity: grid.size.voxelCount) { labels, initialisedCount in
        var done = 0
        try readStoredVoxels(frames: frame..<frame + 1, work: work) { bytes in
          let rest = UnsafeMutableBufferPointer(rebasing: labels[done...])
          var loop = LabelLoop(rule: rule, coding: coding, labels: rest)
          let piece = loop.run(over: bytes, type: voxelType)
          switch piece.failure {
          case .noLabel(let position, let value): throw notALabel(value, offset: done + position)
          case .noCode:
            lacksCode = true
            throw Cancelled()
          case nil: break
          }
          notes.add(piece.notes)
          done += piece.count
        }
        initialisedCount = done
      }
    } catch is Cancelled where lacksCode {
      return nil
    }
    return (LabelVolume(grid: grid, voxels: labels, coding: coding), notes)
  }

  /// The coding of a file that holds values beyond 65535.
  private func coding(
    ofLargeValues frame: Int, _ rule: LabelRule, work: WorkContext
  ) throws -> LabelCoding {
    var loop = ValueLoop(rule: rule)
    var done = 0
    try readStoredVoxels(frames: frame..<frame + 1, work: work.withoutProgress) { bytes in
      if let failure = loop.run(over: bytes, type: voxelType) {
        throw notALabel(failure.value, offset: done + failure.position)
      }
      done += bytes.count / voxelType.byteCount
      if loop.largeValues.count > LabelCoding.maximumValueCount { throw tooManyValues() }
    }
    guard let coding = LabelCoding(of: loop.values) else { throw tooManyValues() }
    return coding
  }

  private func tooManyValues() -> InputError {
    InputError(
      path, "is not a mask: too many label values", found: "more than \(LabelCoding.maximumValueCount)",
      expected: "\(LabelCoding.maximumValueCount) or fewer")
  }

  private func notALabel(_ value: NoLabel, offset: Int) -> InputError {
    let voxel = grid.size.index(offset: offset)
    return InputError(
      path, "is not a mask: voxel (\(voxel.i), \(voxel.j), \(voxel.k)) is not a label", found: value.shown,
      expected: value.expected)
  }
}

/// A value that is not a label, and the expected values, for an error line.
private struct NoLabel {
  var shown: String
  var expected: String
}

/// When the value of a voxel is a label.
private struct LabelRule {
  enum Reading {
    case label(Int)
    case inexact(Int)
    case notANumber
    case noLabel
  }

  let scaling: VoxelScaling
  /// The largest distance from a whole number.
  private let tolerance: Double
  /// Whether whole numbers stay whole, so that labels may be as large as without a scale.
  private let isWhole: Bool
  /// A scale that only rounding keeps from being none, as it is shown.
  let ignoredScale: String?

  init(type: VoxelType, scaling: VoxelScaling) {
    let isNearlyIdentity = abs(scaling.slope - 1) < 1e-6 && abs(scaling.intercept) < 1e-6
    if isNearlyIdentity, !type.isFloatingPoint {
      self.scaling = VoxelScaling()
      ignoredScale = scaling.isIdentity ? nil : "\(scaling.slope + scaling.intercept) for 1"
      tolerance = 0
      isWhole = true
    } else {
      self.scaling = scaling
      ignoredScale = nil
      // A program that stores labels as steps of a scale is off by half a step at most.
      tolerance = type.isFloatingPoint ? 0 : min(max(1e-3, abs(scaling.slope) / 2), 0.02)
      isWhole = scaling.slope == scaling.slope.rounded() && scaling.intercept == scaling.intercept.rounded()
    }
  }

  /// The reading of a stored number whose value is not a whole number up to 65535.
  func reading(_ number: some StoredNumber) -> Reading {
    if scaling.isIdentity, let whole = number.integer { return whole >= 0 ? .label(whole) : .noLabel }
    let value = value(of: number)
    if value.isNaN { return .notANumber }
    let whole = value.rounded()
    // From 2^53 on, floating numbers skip whole ones.
    guard abs(value - whole) <= tolerance, whole >= 0, whole < 0x1p53 else { return .noLabel }
    // Far out, the rounding of a broken scale is larger than the distance between labels.
    guard isWhole || whole <= 65535 else { return .noLabel }
    return value == whole ? .label(Int(whole)) : .inexact(Int(whole))
  }

  func value(of number: some StoredNumber) -> Double { scaling.slope * number.double + scaling.intercept }

  /// The finding that labels were not whole; nil where all are.
  func scaleFinding(_ notes: LabelNotes) -> Finding? {
    (notes.inexact ?? ignoredScale).map {
      Finding(
        "the scale of the file makes labels that are not whole (\($0))",
        repair: "they are rounded to whole numbers; a program that cuts off decimals reads other labels")
    }
  }

  /// A value that is not a label, to the last digit also where a 64-bit float has too few.
  func refused(_ number: some StoredNumber) -> NoLabel {
    let value = value(of: number)
    let shown = scaling.isIdentity && abs(value) >= 0x1p53 ? "\(number)" : "\(value)"
    guard value >= 0, value == value.rounded() else {
      return NoLabel(shown: shown, expected: "a whole number, 0 or more")
    }
    // Whole, and too large for a label.
    let maximum =
      !isWhole ? 65535 : scaling.isIdentity && number is any BinaryInteger ? Int.max : 1 << 53 - 1
    return NoLabel(shown: shown, expected: "a whole number from 0 to \(maximum)")
  }
}

/// The changes to values on reading.
private struct LabelNotes {
  var notANumberCount = 0
  /// The first value that is not whole.
  var inexact: String?

  mutating func add(_ other: LabelNotes) {
    notANumberCount += other.notANumberCount
    inexact = inexact ?? other.inexact
  }
}

/// Converts stored voxels to codes.
private struct LabelLoop: StoredNumberLoop {
  enum Failure {
    case noLabel(position: Int, NoLabel)
    case noCode
  }

  struct Piece {
    var count: Int
    var notes = LabelNotes()
    /// The failure that stopped the loop; nil for none.
    var failure: Failure?
  }

  let rule: LabelRule
  let coding: LabelCoding
  /// The memory for the codes of the next voxels.
  var labels: UnsafeMutableBufferPointer<UInt16>

  func run<Number: StoredNumber>(over numbers: UnsafeBufferPointer<Number>) -> Piece {
    precondition(numbers.count <= labels.count, "\(numbers.count) voxels for \(labels.count) elements")
    if rule.scaling.isIdentity, let small = numbers as? UnsafeBufferPointer<UInt8> {
      for index in 0..<small.count { labels[index] = UInt16(small[index]) }
      return Piece(count: small.count)
    }
    var piece = Piece(count: numbers.count)
    let (slope, intercept) = (rule.scaling.slope, rule.scaling.intercept)
    for index in 0..<numbers.count {
      let value = slope * numbers[index].double + intercept
      if value >= 0, value <= 65535, value == value.rounded(.towardZero) {
        labels[index] = UInt16(value)
        continue
      }
      let whole: Int
      switch rule.reading(numbers[index]) {
      case .label(let label): whole = label
      case .inexact(let label):
        whole = label
        if piece.notes.inexact == nil { piece.notes.inexact = "\(value) for \(label)" }
      case .notANumber:
        whole = 0
        piece.notes.notANumberCount += 1
      case .noLabel:
        piece.failure = .noLabel(position: index, rule.refused(numbers[index]))
        return piece
      }
      guard let code = coding.code(of: whole) else {
        piece.failure = .noCode
        return piece
      }
      labels[index] = code
    }
    return piece
  }
}

/// Collects the values that occur.
private struct ValueLoop: StoredNumberLoop {
  let rule: LabelRule
  /// Whether each value up to 65535 occurs.
  private var occurs = [Bool](repeating: false, count: Int(UInt16.max) + 1)
  /// The values beyond 65535.
  private(set) var largeValues: Set<Int> = []
  private(set) var notes = LabelNotes()

  init(rule: LabelRule) { self.rule = rule }

  var values: Set<Int> { largeValues.union(occurs.indices.filter { occurs[$0] }) }

  /// Returns the first voxel that is not a label, if any.
  mutating func run<Number: StoredNumber>(
    over numbers: UnsafeBufferPointer<Number>
  ) -> (position: Int, value: NoLabel)? {
    let (slope, intercept) = (rule.scaling.slope, rule.scaling.intercept)
    var last: Number?
    for position in 0..<numbers.count {
      let number = numbers[position]
      // Most voxels of a mask are like the one before them.
      if number == last { continue }
      last = number
      let value = slope * number.double + intercept
      if value >= 0, value <= 65535, value == value.rounded(.towardZero) {
        occurs[Int(value)] = true
        continue
      }
      switch rule.reading(number) {
      case .label(let label): insert(label)
      case .inexact(let label):
        insert(label)
        if notes.inexact == nil { notes.inexact = "\(value) for \(label)" }
      case .notANumber:
        occurs[0] = true
        notes.notANumberCount += 1
      case .noLabel: return (position, rule.refused(number))
      }
    }
    return nil
  }

  private mutating func insert(_ label: Int) {
    if occurs.indices.contains(label) { occurs[label] = true } else { largeValues.insert(label) }
  }
}

/// What one frame of an image would be as a mask: its label values, and findings about them.
///
/// It sees the voxels while they are read for another purpose, so that the file is read once and no labels are kept.
/// - Complexity: O(n); 64 KB, and the values beyond 65535.
package final class MaskSurvey {
  private var loop: ValueLoop
  private let type: VoxelType
  /// Whether every voxel so far is a label.
  private var isMask: Bool

  /// A survey of one frame of an image, which is not begun.
  package init(of image: ImageFile) {
    type = image.voxelType
    loop = ValueLoop(rule: LabelRule(type: image.voxelType, scaling: image.scaling))
    // A series from a scanner is not a mask.
    isMask = image.source.header(DicomReference.self) == nil
  }

  /// Takes the next stored voxels of the frame.
  func add(_ voxels: UnsafeRawBufferPointer) {
    guard isMask else { return }
    isMask =
      loop.run(over: voxels, type: type) == nil
      && loop.largeValues.count <= LabelCoding.maximumValueCount
  }

  /// The values of the frame's voxels; nil where it is not a mask.
  package var values: Set<Int>? {
    guard isMask else { return nil }
    let values = loop.values
    return LabelCoding(of: values) == nil ? nil : values
  }

  /// Findings if the frame were read as a mask, each with "as a mask" before it; none where it is not one.
  ///
  /// NaN has a finding in images too, and therefore none here.
  package var findings: [Finding] {
    guard let values, let coding = LabelCoding(of: values) else { return [] }
    return [loop.rule.scaleFinding(loop.notes), Finding(ofOnly255: values, coding: coding)].compactMap(\.self)
      .map(\.asMask)
  }
}

extension Finding {
  /// The finding about a file that may be read as an image or as a mask.
  package var asMask: Finding { Finding("as a mask: " + problem, repair: repair) }
}
