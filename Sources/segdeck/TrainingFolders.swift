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
      "A structure as VALUES=NAME (6=liver, 1,2=liver), once per structure; for several folders either once for all or once per folder and structure.",
      valueName: "values=name"))
  var label: [String]

  /// A case still to be read.
  struct Source {
    let pair: CaseFolder.Pair
    let selections: [LabelSelection]
  }

  /// Every pair of all folders with its structures, in the order of the folders.
  /// - Throws: ``InputError`` when folders and labels do not match up.
  func sources() throws(InputError) -> [Source] {
    guard images.count == labels.count, !images.isEmpty else {
      throw InputError(
        "--labels", "one folder per --images", found: "\(labels.count)", expected: "\(images.count)")
    }
    var selections: [LabelSelection] = []
    for text in label { selections.append(try LabelSelection(text)) }
    var names: [String] = []
    for selection in selections where !names.contains(selection.name) { names.append(selection.name) }
    guard !names.isEmpty, selections.count == names.count || selections.count == names.count * images.count
    else {
      throw InputError(
        "--label", "structures", found: "\(selections.count)",
        expected: "one per structure, or one per folder and structure (\(names.count) x \(images.count))")
    }
    var sources: [Source] = []
    for (index, folder) in images.enumerated() {
      let own =
        selections.count == names.count
        ? selections : Array(selections[index * names.count..<(index + 1) * names.count])
      guard own.map(\.name) == names else {
        throw InputError(
          "--label", "structures of folder \(folder)", found: own.map(\.name).joined(separator: " "),
          expected: names.joined(separator: " "))
      }
      for pair in try CaseFolder(images: folder, labels: labels[index]).pairs {
        sources.append(Source(pair: pair, selections: own))
      }
    }
    return sources
  }
}

extension TrainingFolders.Source {
  /// Reads the case and brings it to the network's grid.
  func trainingCase(_ preprocessing: Preprocessing, work: WorkContext) throws -> TrainingCase {
    let image = try ImageFile.open(pair.image).scalarVolume(context: work.silent)
    let labels = try ImageFile.open(pair.labels).labelVolume(context: work.silent)
    return try TrainingCase(
      name: pair.name, image: image, labels: labels, selections: selections, preprocessing: preprocessing,
      work: work.silent)
  }
}
