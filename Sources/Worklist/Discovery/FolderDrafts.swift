import Foundation
import ImageFormats
import Work

extension FolderTree {
  /// The images directly in the folder, grouped into cases, with the masks beside them.
  ///
  /// Where all images of a folder below the searched one differ only in words for modalities, they are one case, named
  /// after the folder.
  func drafts(notes: inout DiscoveryNotes) -> [CaseDraft] {
    // A file whose name says that it is a mask is paired by its name, but beside DICOM series, whose cases are named
    // after the folder.
    let holdsSeries = files.contains { $0.series != nil }
    let images = files.filter { $0.role.kind == .image && $0.record == nil }
    let others = files.filter { $0.role.kind != .image || $0.record != nil }
    var drafts = CaseDraft.grouped(images, folder: relativePath)
    let isBelow = !relativePath.isEmpty
    let hasPlainMask = others.contains { $0.role.subject.isEmpty && $0.role.trailingSubject == nil }
    if drafts.count == 1, isBelow || hasPlainMask {
      drafts[0].otherKeys.append(name)
      if isBelow || drafts[0].images.allSatisfy(\.role.subject.isEmpty) {
        (drafts[0].name, drafts[0].longName) = (name, isBelow ? relativePath : name)
      }
      let subject = drafts[0].images.first?.role.subject
      for file in others { drafts[0].add(file, subject: subject) }
      return drafts
    }
    let index = CaseIndex(drafts)
    for file in others {
      let record = file.role.kind == .image || holdsSeries ? file.record : nil
      let source = record.flatMap { record in
        drafts.firstIndex { $0.images.contains(where: record.isOf) }
      }
      let cases = source.map { [$0] } ?? index.match(file)?.cases ?? []
      switch cases.count {
      case 0: notes.add(.maskWithoutImage, file.path)
      case 1: drafts[cases[0]].add(file, subject: nil)
      default:
        let names = cases.prefix(2).compactMap { drafts[$0].images.first?.path }.map { FilePath.name(of: $0) }
        notes.add(.ambiguous, "\(file.path) (\(names.joined(separator: ", ")))")
      }
    }
    return drafts
  }
}

extension ExportRecord {
  /// Whether the mask was made from this image.
  fileprivate func isOf(_ image: FoundFile) -> Bool {
    guard imageName == FilePath.name(of: image.path) else { return false }
    guard let series, let own = image.series?.seriesInFile else { return true }
    return series == own
  }
}

extension CaseDraft {
  /// Adds a mask or probabilities in the folder of the images; `subject` is the subject of the images' names.
  fileprivate mutating func add(_ file: FoundFile, subject: String?) {
    guard file.role.kind != .probabilities else { return probabilities.append(file.path) }
    let isOthers = subject.map { !file.role.subject.isEmpty && file.role.subject != $0 } ?? false
    add(mask: file.path, called: file.role.role.isEmpty || isOthers ? file.stem : file.role.role)
  }

  /// Groups images into cases: nnU-Net's channels "_0000", "_0001" of one name are one case, and so are images in one
  /// folder whose names differ only in words for modalities ("_t1", "_flair").
  ///
  /// A case whose images have only such words in their names is named after its folder, if that is below `folder`.
  static func grouped(_ images: [FoundFile], folder: String) -> [CaseDraft] {
    let stems = Set(images.map(\.relativeStem))
    var order: [String] = []
    var groups: [String: (base: String?, images: [FoundFile])] = [:]
    for image in images {
      let folderPath = FilePath.folder(of: image.relativeStem)
      let base = ChannelFiles.parts(ofStem: image.stem).flatMap { name, _ in
        stems.contains(FilePath.joined(folderPath, ChannelFiles.stem(ofCase: name, channel: 0))) ? name : nil
      }
      let key =
        (base == nil ? "s" : "c") + FilePath.joined(folderPath, (base ?? image.role.subject).lowercased())
      if groups[key] == nil { order.append(key) }
      groups[key, default: (base, [])].images.append(image)
    }
    return order.compactMap { key in
      guard let group = groups[key] else { return nil }
      let folderPath = FilePath.folder(of: group.images[0].relativeStem)
      let subject = group.base ?? group.images[0].role.subject
      guard !subject.isEmpty || folderPath == folder else {
        let name = FilePath.name(of: folderPath)
        return CaseDraft(name: name, longName: folderPath, images: group.images, otherKeys: [name])
      }
      let isNamed = group.base != nil || group.images.count > 1 && !subject.isEmpty
      let name = isNamed ? subject : group.images[0].stem
      return CaseDraft(
        name: name, longName: FilePath.joined(folderPath, name), images: group.images,
        otherKeys: group.base.map { [$0] } ?? [])
    }
  }
}
