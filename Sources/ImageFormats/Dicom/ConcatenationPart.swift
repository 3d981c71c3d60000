import Work

/// One of several files among which the frames of one multi-frame image are divided (a concatenation).
struct ConcatenationPart: Hashable, Sendable {
  /// The UID that all parts share.
  let uid: String
  /// Its number, from 1.
  let number: Int
  /// The number of parts; nil where it is not stated.
  let count: Int?

  /// nil for a file that is no part of a concatenation, or does not say which.
  init?(_ dataSet: DicomDataSet) {
    guard let uid = dataSet.text(.concatenationUID), let number = dataSet.integer(.inConcatenationNumber)
    else { return nil }
    (self.uid, self.number, count) = (uid, number, dataSet.integer(.inConcatenationTotalNumber))
  }

  /// The greatest number of missing parts that an error names.
  private static let namedCount = 4

  /// Refuses an image of which a part is not among `instances`: slices at its ends are missed by nothing else.
  /// - Parameters:
  ///   - parts: Those of the image.
  ///   - unreadable: The names of files that may be parts of it but cannot be read.
  static func requireAll(
    _ parts: [ConcatenationPart], among instances: [DicomInstance], unreadable: [String], path: String
  ) throws(InputError) {
    let all = instances.compactMap(\.concatenationPart)
    for uid in Set(parts.map(\.uid)).sorted() {
      let own = all.filter { $0.uid == uid }
      let numbers = Set(own.map(\.number))
      // Both attributes have 16 bits; a larger number is no count of files.
      guard let last = numbers.union(own.compactMap(\.count)).max(), (1...65535).contains(last) else {
        continue
      }
      let missing = Set(1...last).subtracting(numbers).sorted()
      guard !missing.isEmpty else { continue }
      func list(_ numbers: [Int]) -> String {
        let more = numbers.count - namedCount
        return numbers.prefix(namedCount).map(String.init).joined(separator: ", ")
          + (more > 0 ? " and \(more) more" : "")
      }
      throw InputError(
        path, "lacks \(counted(missing.count, "file")) of a multi-frame image in \(last) files",
        found: "part \(list(numbers.sorted()))",
        expected: "part \(list(missing)) too, by InConcatenationNumber (0020,9162)"
          + (unreadable.isEmpty ? "" : "; \(unreadable[0]), which cannot be read, may be it"))
    }
  }
}
