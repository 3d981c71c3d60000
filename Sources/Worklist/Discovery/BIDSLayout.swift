import Work

/// A data set in BIDS layout: images in `sub-*/[ses-*/]anat`, masks in `derivatives/PIPELINE/sub-*`.
struct BIDSLayout {
  private let dataset: FolderTree

  /// The layout of a folder; nil where it contains no folder "sub-*".
  init?(_ folder: FolderTree) {
    guard folder.folders.contains(where: { $0.name.hasPrefix("sub-") }) else { return nil }
    dataset = folder
  }

  /// A case for each session of each subject, or for the subject where it has no sessions, with one mask of each
  /// pipeline.
  /// - Parameter imageSuffix: The suffix of the images, in any folder of a session; nil for the anatomical ones.
  func drafts(imageSuffix: String? = nil, notes: inout DiscoveryNotes) -> [CaseDraft] {
    let derivatives = dataset.folders(named: ["derivatives"]).flatMap { folder in
      folder.folders.contains { $0.name.hasPrefix("sub-") } ? [folder] : folder.folders
    }
    var drafts: [CaseDraft] = []
    for subject in dataset.folders where subject.name.hasPrefix("sub-") {
      let sessions = subject.folders.filter { $0.name.hasPrefix("ses-") }
      for unit in sessions.isEmpty ? [subject] : sessions {
        let anatomy = unit.folders.filter { $0.name == "anat" }.flatMap(\.allFiles)
        let isAnatomical = imageSuffix == nil && anatomy.contains { $0.role.kind == .image }
        let files = isAnatomical ? anatomy : unit.allFiles
        let images = files.filter { file in
          file.role.kind == .image && imageSuffix.map { file.stem.hasSuffix("_" + $0) } ?? true
        }
        guard !images.isEmpty else { continue }
        let name = sessions.isEmpty ? subject.name : "\(subject.name)_\(unit.name)"
        // The T1 image comes first; a stable sort keeps the order of the others.
        let isT1 = images.filter { $0.stem.hasSuffix("_T1w") }
        var draft = CaseDraft(
          name: name, longName: FilePath.joined(dataset.relativePath, name),
          images: isT1 + images.filter { !$0.stem.hasSuffix("_T1w") })
        let own = files.filter { $0.role.kind == .mask }
        if let mask = choice(of: own, for: draft, notes: &notes) {
          draft.add(mask: mask.path, called: "manual")
        }
        for pipeline in derivatives {
          let candidates = masks(
            of: subject.name, sessions.isEmpty ? nil : unit.name, in: pipeline, sessions.count)
          if let mask = choice(of: candidates, for: draft, notes: &notes) {
            draft.add(mask: mask.path, called: pipeline.name)
          }
        }
        drafts.append(draft)
      }
    }
    let known = Set(dataset.folders.map(\.name))
    for pipeline in derivatives {
      for subject in pipeline.folders where subject.name.hasPrefix("sub-") && !known.contains(subject.name) {
        for file in subject.allFiles where file.role.kind == .mask { notes.add(.maskWithoutImage, file.path) }
      }
    }
    return drafts
  }

  /// The masks of a pipeline for a subject and session; masks without a session belong to the subject's only session.
  private func masks(
    of subject: String, _ session: String?, in pipeline: FolderTree, _ sessionCount: Int
  ) -> [FoundFile] {
    guard let folder = pipeline.folders.first(where: { $0.name == subject }) else { return [] }
    let sessions = folder.folders.filter { $0.name.hasPrefix("ses-") }
    let isApart = session != nil && (!sessions.isEmpty || sessionCount > 1)
    let files = isApart ? sessions.filter { $0.name == session }.flatMap(\.allFiles) : folder.allFiles
    return files.filter { $0.role.kind == .mask }
  }

  /// The best mask for an image among those in the image's space: a segmentation ("_dseg") before a mask of one region,
  /// then the one with most BIDS entities in common.
  ///
  /// The others are noted.
  private func choice(
    of masks: [FoundFile], for draft: CaseDraft, notes: inout DiscoveryNotes
  ) -> FoundFile? {
    let image = Set(draft.images[0].stem.split(separator: "_"))
    func rank(_ mask: FoundFile) -> (Int, Int) {
      let entities = mask.stem.split(separator: "_")
      return (mask.stem.hasSuffix("_dseg") ? 1 : 0, entities.count { image.contains($0) })
    }
    // Masks in a template's space have another grid.
    let usable = masks.filter { mask in
      !mask.stem.split(separator: "_").contains { $0.hasPrefix("space-MNI") || $0.hasPrefix("space-fs") }
    }
    guard var best = usable.first else {
      for mask in masks { notes.add(.furtherMask, mask.path) }
      return nil
    }
    for mask in usable.dropFirst() where rank(best) < rank(mask) { best = mask }
    for mask in masks where mask.path != best.path { notes.add(.furtherMask, mask.path) }
    return best
  }
}
