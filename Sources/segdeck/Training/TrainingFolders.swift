import ArgumentParser
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work

/// The options for labelled cases: folders of images and labels, and the label values of each structure.
struct TrainingFolders: ParsableArguments {
  @Option(
    name: .long,
    help: """
      Folder of images; may be given again, each time with its --labels. Several for each --labels are the input channels \
      of one network, in this order: a case has an image of the same name in each. So are CASE_0000, CASE_0001 and so on \
      in one folder, with labels CASE.
      """)
  var images: [String]

  @Option(name: .long, help: "Folder of labels, one file of the same name per case.")
  var labels: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      """
      A structure as VALUES=NAME (6=liver, 1,2=liver), once per structure; for several folders either once for all or \
      once per folder and structure. Without it, every label value that occurs is a structure.
      """, valueName: "values=name"))
  var label: [String] = []

  @Flag(name: .long, help: "Skip images without labels and labels without an image.")
  var skipUnpaired = false

  @Option(
    name: .long, help: "Frame of 4D images, from 0; without it they are refused.",
    transform: OptionParsing.wholeNumber)
  var frame: Int?

  @OptionGroup var choice: ImageChoiceOptions

  /// A case that is not read yet.
  struct Source {
    let pair: CaseFolder.Pair
    let selections: [LabelSelection]
    /// The label coding of all cases.
    let coding: LabelCoding
    /// The names of the values that occur in any case.
    let names: [Int: String]
    /// The names of the images of each case, in the order of the input channels.
    let channelNames: [String]
    /// Values of ignored voxels, which enter neither loss nor measures.
    let ignoredValues: [Int]
    /// The frame of 4D images.
    let frame: Int?
  }

  /// All cases of all folders with their structures, in the order of the folders.
  ///
  /// - Parameter found: Chooses the structures from the label files where there is no `--label`.
  /// - Throws: ``InputError`` when folders and labels do not match, when a file has no partner or cannot be read, or
  ///   when two cases have the same name; the errors of `found`; ``Cancelled``.
  func sources(
    work: WorkContext, found: (DatasetLabels) throws -> [LabelSelection]
  ) throws -> [Source] {
    guard !labels.isEmpty, !images.isEmpty, images.count.isMultiple(of: labels.count) else {
      throw InputError(
        "--labels", "one folder per --images, or per several that are its channels", found: "\(labels.count)",
        expected: "\(images.count)")
    }
    let folders = try pairedFolders()
    let channelNames = channelNames(count: folders[0][0].images.count)
    var selections: [LabelSelection] = []
    for text in label { selections.append(try LabelSelection(text)) }
    let datasetLabels = try DatasetLabels(of: folders.flatMap(\.self), work: work)
    for note in datasetLabels.notes { Console.note(note) }
    for note in selections.notes(
      absentFrom: datasetLabels.values, "any label file", coding: datasetLabels.coding)
    {
      Console.note(note)
    }
    if selections.isEmpty { selections = try found(datasetLabels) }
    try datasetLabels.requireAny(of: selections)
    var names: [String] = []
    for index in selections.indices {
      if let known = names.first(where: { $0.nameKey == selections[index].nameKey }) {
        selections[index].name = known
      } else {
        names.append(selections[index].name)
      }
    }
    if labels.count == 1, selections.count > names.count,
      let twice = names.first(where: { name in selections.count { $0.name == name } > 1 })
    {
      let values = selections.filter { $0.name == twice }.flatMap(\.values).map(String.init)
      throw InputError(
        "--label", "a structure is named twice", found: twice,
        expected: "all its values together: --label \(values.joined(separator: ","))=\(twice)")
    }
    guard selections.count == names.count || selections.count == names.count * labels.count else {
      throw InputError(
        "--label", "structures", found: "\(selections.count)",
        expected: "one per structure, or one per folder and structure (\(names.count) x \(labels.count))")
    }
    guard names.count <= DatasetLabels.limit else {
      throw InputError(
        "--label", "too many structures", found: "\(names.count)", expected: "\(DatasetLabels.limit) or fewer"
      )
    }
    var sources: [Source] = []
    var allIgnored: Set<Int> = []
    for (index, pairs) in folders.enumerated() {
      let own =
        selections.count == names.count
        ? selections : Array(selections[index * names.count..<(index + 1) * names.count])
      guard own.map(\.name) == names else {
        throw InputError(
          "--label", "structures of folder \(images[index * folderCount])",
          found: own.map(\.name).joined(separator: " "),
          expected: names.joined(separator: " "))
      }
      try own.requireOwnValues(datasetLabels.coding)
      let ignored = datasetLabels.ignoredValues(beside: own)
      allIgnored.formUnion(ignored)
      sources += pairs.map {
        Source(
          pair: $0, selections: own, coding: datasetLabels.coding, names: datasetLabels.names,
          channelNames: channelNames, ignoredValues: ignored, frame: frame)
      }
    }
    if !allIgnored.isEmpty {
      let shown = allIgnored.sorted().map(String.init).joined(separator: ", ")
      Console.note("label \(shown) means ignore: it is not a structure, and ignored in loss and measures")
    }
    return sources
  }

  /// Folders of images for each folder of labels.
  private var folderCount: Int { images.count / labels.count }

  /// The names of the images of a case: those of their folders or, of several in one folder, those of the data set.
  private func channelNames(count: Int) -> [String] {
    if count == 1 { return [Preprocessing.Channel.defaultName] }
    let stated =
      folderCount > 1
      ? images.prefix(folderCount).map { String($0.split(separator: "/").last ?? "").printableLine }
      : ChannelFiles.names(ofImagesIn: images[0]) ?? []
    let isUsable = stated.count == count && Set(stated).count == count && !stated.contains("")
    return isUsable ? stated : (1...count).map { "image \($0)" }
  }

  /// The cases of each folder of labels, each with the choices that its files leave.
  private func pairedFolders() throws -> [[CaseFolder.Pair]] {
    var folders: [[CaseFolder.Pair]] = []
    var owners: [String: String] = [:]
    for (index, labelFolder) in labels.enumerated() {
      let imageFolders = Array(images[index * folderCount..<(index + 1) * folderCount])
      let imageFolder = imageFolders.joined(separator: ", ")
      let folder = try CaseFolder(
        images: imageFolders, labels: labelFolder, choosesSeries: choice.series.series != nil)
      if !skipUnpaired {
        try refuse(folder.imagesWithoutLabels, in: imageFolder, "images without labels in \(labelFolder)")
        try refuse(folder.labelsWithoutImage, in: labelFolder, "labels without an image in \(imageFolder)")
        try refuse(folder.casesWithoutChannel, in: imageFolder, "cases without an image for each channel")
      }
      let (known, own) = (folders.first?[0] ?? folder.pairs[0], folder.pairs[0])
      guard own.images.count == known.images.count else {
        throw InputError(
          own.images[0], "its case has another number of images than \(known.name)",
          found: "\(own.images.count)", expected: "\(known.images.count)")
      }
      for file in DatasetLabels.commonFiles(of: folder.pairs[0].labels) {
        try ReadFiles.register(file)
      }
      for pair in folder.pairs {
        for file in pair.images + [pair.labels] { try ReadFiles.register(file) }
        if let other = owners.updateValue(pair.images[0], forKey: pair.name) {
          throw InputError(pair.images[0], "another case has this name too", found: other)
        }
      }
      folders.append(folder.pairs)
    }
    let pairs = folders.joined()
    var imageChoices = try choice.series.options(forImages: pairs.flatMap(\.images))[...]
    var labelsChoices = try choice.segments.options(forMasks: pairs.map(\.labels))[...]
    return folders.map { pairs in
      pairs.map { pair in
        var chosen = pair
        chosen.imageChoices = pair.images.map { _ in imageChoices.removeFirst() }
        chosen.labelsChoice = labelsChoices.removeFirst()
        return chosen
      }
    }
  }

  private func refuse(_ names: [String], in folder: String, _ problem: String) throws(InputError) {
    guard !names.isEmpty else { return }
    let few = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
    throw InputError(
      folder, problem, found: "\(names.count): \(few)", expected: "a partner for each, or --skip-unpaired")
  }
}

extension TrainingFolders.Source {
  /// The files of the images, on one grid.
  /// - Throws: ``InputError`` when a file cannot be read, has several frames and `--frame` is missing, or another grid than
  ///   the first; ``Cancelled``.
  func imageFiles() throws -> [ImageFile] {
    let files = try pair.openImages()
    for file in files where file.frameCount > 1 && frame == nil {
      throw InputError(
        file.path, "holds several frames or channels", found: "\(file.frameCount)",
        expected: "one, or --frame to choose one")
    }
    try files.requireOneGrid()
    return files
  }

  /// The labels, on the grid of ``imageFiles()``.
  /// - Throws: ``InputError`` when the file is not a mask, or does not fit; ``Cancelled``.
  func labels(of image: ImageFile, work: WorkContext) throws -> LabelVolume {
    let mask = try FittedMask(pair.openLabels(), of: image, coding: coding, work: work.withoutProgress)
    mask.reportFindings()
    return mask.labels
  }

  /// The images and their labels on the same grid.
  ///
  /// Intensities that are not finite are repaired with a finding, as in `segment`.
  /// - Parameter isForTraining: Whether such intensities are refused instead.
  /// - Throws: ``InputError`` when a file cannot be read or the labels do not fit; ``Cancelled``.
  func volumes(
    isForTraining: Bool = false, work: WorkContext
  ) throws -> (images: [ScalarVolume], labels: LabelVolume) {
    let files = try imageFiles()
    let images = try files.map { file in
      let image = try file.scalarVolume(frame: frame, work: work.withoutProgress)
      if isForTraining, let finding = file.findings.first(where: { $0.problem.contains("not finite") }) {
        throw InputError(
          file.path, "cannot serve for training", found: finding.problem, expected: "finite intensities")
      }
      FindingNotes.add(file)
      return image
    }
    return (images, try labels(of: files[0], work: work))
  }

  /// Reads the case and resamples it to the working grid.
  func trainingCase(_ preprocessing: Preprocessing, work: WorkContext) throws -> TrainingCase {
    let (images, labels) = try volumes(isForTraining: true, work: work)
    return try TrainingCase(
      name: pair.name, images: images, labels: labels, selections: selections, ignoredValues: ignoredValues,
      preprocessing: preprocessing, work: work.withoutProgress)
  }
}

extension TrainingFolders.Source {
  /// The labels of a model that is trained on these structures.
  ///
  /// A structure keeps its value, or the first of several.
  /// - Throws: ``InputError`` for more values than a mask can have.
  func modelLabels() throws(InputError) -> CodedLabels {
    let named = selections.map { selection in
      // Where 255 is read as 1, masks still contain 255.
      let first = selection.values[0]
      return (coding.code(of: first).map { coding.value(of: $0) } ?? first, selection.name)
    }
    guard let labels = CodedLabels(named) else {
      throw InputError("--label", "too many values for one mask", found: "\(named.count)")
    }
    return labels
  }
}

extension [TrainingFolders.Source] {
  /// The distinct selections of the folders, which may number the structures differently.
  var selections: [[LabelSelection]] {
    reduce(into: []) { if !$0.contains($1.selections) { $0.append($1.selections) } }
  }

  /// Checks that each case has an image for every channel of a model.
  /// - Throws: ``InputError`` where it has not.
  func requireImages(of model: SegmentationModel) throws(InputError) {
    try model.require(
      imageCount: self[0].pair.images.count,
      remedy: ", in a folder for each with --images, or as CASE_0000, CASE_0001 in one")
  }

  /// The cases that `--cases` names, separated by commas; all cases for nil.
  /// - Throws: ``InputError`` when a name is unknown, or the list is empty.
  func selected(_ names: String?) throws(InputError) -> [TrainingFolders.Source] {
    guard let names else { return self }
    let wanted = Set(names.split(separator: ",").map(String.init))
    if let unknown = wanted.subtracting(map(\.pair.name)).sorted().first {
      throw InputError("--cases", "no case has this name", found: unknown)
    }
    guard !wanted.isEmpty else {
      throw InputError("--cases", "names no case", expected: "names separated by commas")
    }
    return filter { wanted.contains($0.pair.name) }
  }
}
