import Work
import Worklist

extension SessionState {
  /// Opens the image that the case on the screen asked for: a new case at the end of the worklist or, where there is
  /// none, in place of the case.
  mutating func openRequestedImage() -> [SessionEffect] {
    guard let image = review.requestedImage else { return [] }
    cases[current]?.requestedImage = nil
    if let known = worklist.id(of: image) { return known == current ? [] : move(to: known) }
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

  /// Adds an image at the end of the list, under a name that no other case has, nor another image in the records.
  mutating func append(_ image: CheckedImage) -> WorklistCase {
    let stem = FilePath.stem(of: image.path)
    let name = stem.hasSuffix(".nii") ? String(stem.dropLast(4)) : stem
    let (used, path) = (Set(cases.map(\.name)), FilePath.absolute(image.path))
    let unique = WorklistCase.freeName(name) { candidate in
      used.contains(candidate)
        || reviews[candidate]?.entries.values.contains { FilePath.absolute($0.last.image) != path } == true
    }
    let entry = WorklistCase(name: unique, images: [image.path], series: image.series)
    cases.append(entry)
    arrange()
    return entry
  }
}
