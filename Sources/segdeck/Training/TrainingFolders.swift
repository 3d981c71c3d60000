import ArgumentParser
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work

/// The labelled cases that a command reads: folders of images and labels, and which values make which structure.
struct TrainingFolders: ParsableArguments {
  @Option(name: .long, help: "Folder of images; may be given again, each time with its --labels.")
  var images: [String]

  @Option(name: .long, help: "Folder of labels, one file of the same name per image.")
  var labels: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      """
      A structure as VALUES=NAME (6=liver, 1,2=liver), once per structure; for several folders either once for all or \
      once per folder and structure. Without it, every label value that occurs is a structure.
      """, valueName: "values=name"))
  var label: [String] = []

  @Flag(name: .long, help: "Leave out images without labels and labels without an image.")
  var skipUnpaired = false

  /// A case still to be read.
  struct Source {
    let pair: CaseFolder.Pair
    let selections: [LabelSelection]
  }

  /// Every pair of all folders with its structures, in the order of the folders.
  ///
  /// - Parameter found: Gives the structures of the label files where the user named none.
  /// - Throws: ``InputError`` when folders and labels do not match up, a file has no partner, or two cases have the
  ///   same name; whatever `found` throws.
  func sources(found: ([CaseFolder.Pair]) throws -> [LabelSelection]) throws -> [Source] {
    guard images.count == labels.count, !images.isEmpty else {
      throw InputError(
        "--labels", "one folder per --images", found: "\(labels.count)", expected: "\(images.count)")
    }
    let folders = try pairedFolders()
    var selections: [LabelSelection] = []
    for text in label { selections.append(try LabelSelection(text)) }
    if selections.isEmpty { selections = try found(folders.flatMap(\.self)) }
    var names: [String] = []
    for selection in selections where !names.contains(selection.name) { names.append(selection.name) }
    guard selections.count == names.count || selections.count == names.count * images.count else {
      throw InputError(
        "--label", "structures", found: "\(selections.count)",
        expected: "one per structure, or one per folder and structure (\(names.count) x \(images.count))")
    }
    var sources: [Source] = []
    for (index, pairs) in folders.enumerated() {
      let own =
        selections.count == names.count
        ? selections : Array(selections[index * names.count..<(index + 1) * names.count])
      guard own.map(\.name) == names else {
        throw InputError(
          "--label", "structures of folder \(images[index])", found: own.map(\.name).joined(separator: " "),
          expected: names.joined(separator: " "))
      }
      try refuseSharedValues(own)
      sources += pairs.map { Source(pair: $0, selections: own) }
    }
    return sources
  }

  private func pairedFolders() throws(InputError) -> [[CaseFolder.Pair]] {
    var folders: [[CaseFolder.Pair]] = []
    var owners: [String: String] = [:]
    for (imageFolder, labelFolder) in zip(images, labels) {
      let folder = try CaseFolder(images: imageFolder, labels: labelFolder)
      if !skipUnpaired {
        try refuse(folder.imagesWithoutLabels, in: imageFolder, "images without labels in \(labelFolder)")
        try refuse(folder.labelsWithoutImage, in: labelFolder, "labels without an image in \(imageFolder)")
      }
      for file in [labelFolder + "/labels.json", labelFolder + "/../dataset.json"] {
        try ReadFiles.note(file)
      }
      for pair in folder.pairs {
        for file in [pair.image, pair.labels] { try ReadFiles.note(file) }
        if let other = owners.updateValue(pair.image, forKey: pair.name) {
          throw InputError(pair.image, "another case has this name too", found: other)
        }
      }
      folders.append(folder.pairs)
    }
    return folders
  }

  private func refuse(_ names: [String], in folder: String, _ problem: String) throws(InputError) {
    guard !names.isEmpty else { return }
    let few = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    throw InputError(
      folder, problem, found: "\(names.count): \(few)", expected: "a partner for each, or --skip-unpaired")
  }

  private func refuseSharedValues(_ selections: [LabelSelection]) throws(InputError) {
    var owner: [UInt16: String] = [:]
    for selection in selections {
      for value in selection.values {
        if let other = owner.updateValue(selection.name, forKey: value) {
          throw InputError(
            "--label \(selection)", "value \(value) belongs to another structure already", found: other)
        }
      }
    }
  }
}

extension TrainingFolders.Source {
  /// The image and its labels, voxel upon voxel.
  /// - Throws: ``InputError`` when a file cannot be read, the labels do not fit, or an intensity is not finite.
  func volumes(work: WorkContext) throws -> (image: ScalarVolume, labels: LabelVolume) {
    let file = try ImageFile.open(pair.image)
    let image = try file.scalarVolume(work: work.silent)
    if let finding = file.findings.first(where: { $0.problem.contains("no finite number") }) {
      throw InputError(
        pair.image, "cannot serve for training", found: finding.problem, expected: "finite intensities")
    }
    let labels = try FittedMask(pair.labels, on: image.grid, work: work.silent).labels
    return (image, labels)
  }

  /// Reads the case and brings it to the network's grid.
  func trainingCase(_ preprocessing: Preprocessing, work: WorkContext) throws -> TrainingCase {
    let (image, labels) = try volumes(work: work)
    return try TrainingCase(
      name: pair.name, image: image, labels: labels, selections: selections, preprocessing: preprocessing,
      work: work.silent)
  }
}
