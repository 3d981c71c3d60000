import Foundation

/// The one journal below a state folder, as it was written, and ways to damage it.
package struct StoredJournal {
  /// A record: where it begins, and how long its text and its voxels are.
  package struct Record {
    package var start: Int
    package var textCount: Int
    package var voxelCount: Int
    package var textStart: Int { start + 24 }
    package var voxelStart: Int { textStart + textCount }
    package var copyStart: Int { voxelStart + voxelCount }
    package var end: Int { copyStart + textCount }
  }

  package let path: String
  package let whole: Data
  package let records: [Record]

  /// - Throws: The error of the file system where there is no journal.
  package init(below state: String) throws {
    let folder = state + "/segdeck/journals/"
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    path = folder + (names.first { $0.hasSuffix(".journal") } ?? "none")
    let bytes = try Data(contentsOf: URL(filePath: path))
    var records: [Record] = []
    var start = bytes.firstIndex(of: 10)! + 1
    while start < bytes.count {
      func number(_ offset: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[start + offset + $1]) << (8 * $1) }
      }
      let record = Record(start: start, textCount: number(0) & 0x7fff_ffff, voxelCount: number(8))
      records.append(record)
      start = record.end
    }
    (whole, self.records) = (bytes, records)
  }

  /// The records that have voxels.
  package var withVoxels: [Record] { records.filter { $0.voxelCount > 0 } }

  /// The JSON of a record.
  package func text(of record: Record) -> String {
    String(decoding: whole[record.textStart..<record.voxelStart], as: UTF8.self)
  }

  /// Writes it with a flipped bit at each of some positions.
  package func damage(at positions: Int...) throws { try damage(at: positions) }

  /// Writes it with a flipped bit at each of some positions.
  package func damage(at positions: [Int]) throws {
    var bytes = whole
    for position in positions { bytes[position] ^= 0x10 }
    try bytes.write(to: URL(filePath: path))
  }

  /// Writes the bytes before an offset.
  package func cut(at count: Int) throws { try whole.prefix(count).write(to: URL(filePath: path)) }
}
