import Work
import Worklist

extension SessionState {
  /// Opens the image that the case on the screen asked for: a new case at the end of the worklist or, where there is
  /// none, in place of the case.
  mutating func openRequestedImage() -> [SessionEffect] {
    guard let image = review.requestedImage else { return [] }
    cases[current]?.requestedImage = nil
    if let known = worklist.id(of: image) {
      let name = cleaned(worklist.isAbsent ? review.content.name : worklist.cases[known.position].name)
      guard known != current else {
        cases[current]?.message = Message("\(name) is open already")
        return []
      }
      let effects = move(to: known)
      if current == known, !worklist.isAbsent { cases[known]?.announce("\(name) is in the list already") }
      return effects
    }
    let entry = worklist.append(image)
    return [.add(entry)] + move(to: CaseID(worklist.cases.count - 1))
  }

  /// Returns to the case from which an image was opened that cannot be read, where there is no worklist.
  ///
  /// - Returns: nil where there is no such case.
  mutating func returnToPreviousCase(saying failure: String) -> [SessionEffect]? {
    guard worklist.isAbsent, let previous, cases[previous] != nil else { return nil }
    let failed = current
    current = previous
    self.previous = nil
    cases[failed] = nil
    cases[current]?.message = Message(failure, .error)
    return [.close(failed)]
  }
}

extension WorklistState {
  /// The case with this image; nil for none.
  func id(of image: CheckedImage) -> CaseID? {
    let wanted = WorklistCase(name: "", images: [image.path], series: image.series)
    return cases.indices.first { cases[$0].hasSameImage(as: wanted) }.map { CaseID($0) }
  }

  /// Adds an image at the end of the list, under the name that it has in the records, else under one that no other case
  /// has, nor another image in the records.
  mutating func append(_ image: CheckedImage) -> WorklistCase {
    let stem = FilePath.stem(of: image.path)
    var entry = WorklistCase(
      name: stem.hasSuffix(".nii") ? String(stem.dropLast(4)) : stem, images: [image.path],
      series: image.series)
    let used = Set(cases.map(\.name))
    func isRecorded(_ review: CaseReview) -> Bool {
      review.entries.values.allSatisfy {
        entry.hasSameImage(as: WorklistCase(name: "", images: [$0.last.image], series: $0.last.series))
      }
    }
    let recorded = reviews.filter { !used.contains($0.key) && isRecorded($0.value) }.keys.min()
    let path = FilePath.absolute(image.path)
    entry.name =
      recorded
      ?? WorklistCase.name(
        entry.name, ofImage: path,
        isFurtherSeries: cases.contains { $0.images.first.map(FilePath.absolute) == path }
      ) { used.contains($0) || reviews[$0] != nil }
    cases.append(entry)
    arrange()
    return entry
  }
}
