import Work

extension [CaseDraft] {
  /// Adds the files of a folder of masks to the cases that they fit.
  ///
  /// Only the files that fit a case best are used; several may fit equally well. A mask is named after its
  /// folder or, where `folderName` is nil, after the words for masks in its own name.
  mutating func attach(_ files: [FoundFile], folderName: String?, notes: inout DiscoveryNotes) {
    for (number, fitting) in fitting(
      files, notes: &notes,
      ambiguous: { file, cases, notes in
        let names = cases.prefix(2).compactMap { self[$0].images.first?.path }.map { FilePath.name(of: $0) }
        notes.add(.ambiguous, "\(file.path) (\(names.joined(separator: ", ")))")
      })
    {
      for file in fitting {
        if file.role.kind == .probabilities {
          self[number].probabilities.append(file.path)
        } else {
          let ending = file.role.role.isEmpty ? file.stem : file.role.role
          let isAlone = fitting.count == 1
          self[number].add(
            mask: file.path, called: folderName.map { isAlone ? $0 : "\($0) \(ending)" } ?? ending)
        }
      }
    }
  }

  /// Adds the files of a folder whose masks are one version.
  /// - Throws: ``InputError`` where a file fits several cases, several files fit one case equally well, or no file fits
  ///   a case.
  mutating func attachVersion(
    _ files: [FoundFile], folder: String, name: String, notes: inout DiscoveryNotes
  ) throws(InputError) {
    var failure: InputError?
    let found = fitting(files, notes: &notes) { file, cases, _ in
      let names = cases.prefix(2).compactMap { self[$0].images.first?.path }
      failure =
        failure
        ?? InputError(
          file.path, "fits several images", found: names.joined(separator: " and "),
          expected: "names that tell them apart")
    }
    if let failure { throw failure }
    guard !found.isEmpty else {
      throw InputError(
        folder, "no file fits an image", found: counted(files.count, "image file"),
        expected: "files named as the images")
    }
    for (number, fitting) in found {
      let masks = fitting.filter { $0.role.kind != .probabilities }
      guard masks.count < 2 else {
        throw InputError(
          folder, "several files fit the case \(self[number].name)",
          found: masks.prefix(2).map { FilePath.name(of: $0.path) }.joined(separator: " and "),
          expected: "one")
      }
      for file in fitting where file.role.kind == .probabilities {
        self[number].probabilities.append(file.path)
      }
      if let mask = masks.first { self[number].add(mask: mask.path, called: name) }
    }
  }

  /// The files that fit each case best, ascending by the position of the case; cases without a file are left out.
  ///
  /// Unused files are noted.
  private func fitting(
    _ files: [FoundFile], notes: inout DiscoveryNotes,
    ambiguous: (FoundFile, [Int], inout DiscoveryNotes) -> Void
  ) -> [(Int, [FoundFile])] {
    let index = CaseIndex(self)
    var best: [Int: (rank: Int, files: [FoundFile])] = [:]
    var unused: [FoundFile] = []
    for file in files {
      guard let match = index.match(file) else {
        unused.append(file)
        continue
      }
      guard match.cases.count == 1 else {
        ambiguous(file, match.cases, &notes)
        continue
      }
      let number = match.cases[0]
      // A file of probabilities does not replace a mask.
      let rank = file.role.kind == .probabilities ? best[number]?.rank ?? match.rank : match.rank
      if let known = best[number], known.rank < rank {
        unused.append(file)
      } else if let known = best[number], known.rank > rank {
        unused += known.files
        best[number] = (rank, [file])
      } else {
        best[number, default: (rank, [])].files.append(file)
      }
    }
    for file in unused { notes.add(.maskWithoutImage, file.path) }
    return best.sorted { $0.key < $1.key }.map { ($0.key, $0.value.files) }
  }
}
