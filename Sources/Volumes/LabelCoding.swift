/// The file's value of each voxel code of a mask.
///
/// Voxels are 16 bits wide. A code equals its value, with two exceptions that depend on all masks that are read
/// together. Where they hold only 0 and 255, code 1 represents 255. Values beyond 65535 (instances, structures of
/// FreeSurfer and Allen) are assigned codes that no value of these masks has, from 65535 downwards.
package struct LabelCoding: Hashable, Sendable, Codable {
  /// The maximum number of values above 0 that codes can represent.
  package static let maximumValueCount = Int(UInt16.max)
  /// Every code is the file's value.
  package static let identity = LabelCoding()

  /// The file's values of the codes that differ from them.
  private var values: [UInt16: Int] = [:]
  private var codes: [Int: UInt16] = [:]

  private init() {}

  /// The coding of masks that hold these values in all.
  /// - Returns: nil when there are more than ``maximumValueCount`` above 0.
  package init?(of values: Set<Int>) {
    let values = values.subtracting([0])
    guard values.count <= Self.maximumValueCount else { return nil }
    if values == [255] {
      set(255, code: 1)
      return
    }
    var code = UInt16.max
    for value in values.filter({ $0 > Int(UInt16.max) }).sorted(by: >) {
      while values.contains(Int(code)) { code -= 1 }
      set(value, code: code)
      code -= 1
    }
  }

  private mutating func set(_ value: Int, code: UInt16) {
    values[code] = value
    codes[value] = code
  }

  /// Reads the codes that stand for another value.
  package init(from decoder: any Decoder) throws {
    for (code, value) in try [UInt16: Int](from: decoder) { set(value, code: code) }
  }

  /// Writes the codes that stand for another value.
  package func encode(to encoder: any Encoder) throws { try values.encode(to: encoder) }

  /// Whether 255, as the only value, is read as label 1.
  package var readsOnly255AsOne: Bool { values == [1: 255] }

  /// The value that a code stands for.
  package func value(of code: UInt16) -> Int { values[code] ?? Int(code) }

  /// The code of a value; nil where no voxel can have it.
  ///
  /// Where 255 is read as label 1, 1 means it too.
  package func code(of value: Int) -> UInt16? {
    if let code = codes[value] { return code }
    guard let code = UInt16(exactly: value), values[code] == nil || readsOnly255AsOne else { return nil }
    return code
  }

  /// The codes of those of the values that a voxel can have.
  package func codes(of values: [Int]) -> [UInt16] {
    values.compactMap { code(of: $0) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// The name of a label without one: "label 6".
  package func name(of code: UInt16) -> String {
    "label \(readsOnly255AsOne ? Int(code) : value(of: code))"
  }
}

extension LabelVolume {
  /// The values of a file that occur, background's 0 included.
  /// - Complexity: O(n).
  package func values() -> Set<Int> { Set(voxelCounts().keys.map { coding.value(of: $0) }) }

  /// The same values in a coding that has a code for each of them.
  /// - Complexity: O(n), or nothing where the coding is the same.
  package consuming func recoded(to other: LabelCoding) -> LabelVolume {
    var volume = consume self
    guard volume.coding != other else { return volume }
    let codes = (0...UInt16.max).map { other.code(of: volume.coding.value(of: $0)) ?? 0 }
    for offset in volume.voxels.indices { volume.voxels[offset] = codes[Int(volume.voxels[offset])] }
    volume.coding = other
    return volume
  }

  /// This mask with background wherever `other`, on the same grid, has one of `codes`.
  package consuming func cleared(where other: LabelVolume, has codes: [UInt16]) -> LabelVolume {
    var volume = consume self
    guard !codes.isEmpty else { return volume }
    for offset in volume.voxels.indices where codes.contains(other.voxels[offset]) {
      volume.voxels[offset] = 0
    }
    return volume
  }
}
