import Foundation
import Volumes
import Work

/// DICOM: a folder with the files of a series, or any file of it; a multi-frame file; a segmentation.
enum DicomFormat: WritableImageFormat {
  static let name = "DICOM"
  static let suffixes = [".dcm", ".ima", ".dicom"]
  static let choices: Set<ImageReadingOptions.Choice> = [.series, .segment]
  static let writtenSuffixes = [".dcm"]
  static let writtenTypes: Set<VoxelType> = [.uint8, .uint16]
  static let holdsScaling = false

  static func recognises(_ beginning: [UInt8]) -> Bool { DicomParser.recognises(beginning) }
  static func holdsLabelNames(_ path: String) -> Bool { true }
  static func findings(about names: LabelNames) -> [Finding] {
    let changed = names.entries.filter { SegmentationDataSet.label($0.name) != $0.name }.map(\.value)
    guard let first = changed.first else { return [] }
    let others = changed.count > 1 ? " and \(changed.count - 1) more" : ""
    return [
      Finding(
        "the name of label \(first)\(others) is no valid SegmentLabel (64 bytes, no backslash or control characters)",
        repair: "it is written shortened, with / and blanks instead")
    ]
  }

  static func compressesVoxels(of path: String) -> Bool { false }

  static func writer(
    for path: String, of image: WrittenImage, work: WorkContext
  ) throws -> any ImageWriter {
    try SegmentationWriter(path: path, image: image, work: work)
  }

  /// Opens the series that a file belongs to, or a segmentation.
  static func open(path: String, options: ImageReadingOptions, work: WorkContext) throws -> ImageFile {
    let named = try DicomInstance(path: path)
    guard !named.frames.isEmpty else {
      if FilePath.name(of: path).uppercased() == "DICOMDIR" {
        throw InputError(
          path, "holds no image, but a list of files", found: "DICOMDIR",
          expected: "the folder that it lies in")
      }
      throw InputError(
        path, "holds no image", found: named.modality.isEmpty ? "no pixels" : named.modality,
        expected: "pixels")
    }
    if named.segmentation != nil {
      try requireNoSeries(options, path)
      return try SegmentationImage.open(named, path: path, segment: options.segment)
    }
    return try open(DicomFolder(FilePath.folder(of: path), work: work), named: named, path: path, options)
  }

  /// Opens the only series of a folder, or the one that is chosen: by its number in the list of the folder's series, from
  /// 1, or by the beginning of its UID.
  static func openFolder(
    path: String, options: ImageReadingOptions, work: WorkContext
  ) throws -> ImageFile? {
    let folder = try DicomFolder(path, work: work)
    if folder.imageSeries.isEmpty, let choice = options.series,
      let image = try imageBelow(path, series: choice)
    {
      return image
    }
    guard !folder.instances.isEmpty || !folder.damaged.isEmpty else { return nil }
    // Segmentations and documents may lie beside the folders among which the files of their image are divided.
    if options.isEmpty, folder.imageSeries.isEmpty, let image = try DicomSubfolders.dividedImage(below: path)
    {
      let whole = DicomFolder(
        path: path, instances: image.instances, damaged: image.damaged + folder.damaged)
      return try open(whole, named: nil, path: path, options)
    }
    return try open(folder, named: nil, path: path, options)
  }

  static func images(below path: String) throws -> ImagesBelow {
    let below = try DicomSubfolders(path)
    return ImagesBelow(
      lines: below.lines,
      dividedImage: try below.dividedImage.map {
        try open($0, named: nil, path: path, ImageReadingOptions())
      }, hasDividedImages: below.hasDividedImages)
  }

  /// Opens the image below a folder that is chosen by its number in the list of the folder's images, or by the beginning of
  /// its UID; nil where the files of none are divided among folders, so that each has a folder of its own.
  private static func imageBelow(_ path: String, series choice: String) throws -> ImageFile? {
    let below = try DicomSubfolders(path)
    guard below.hasDividedImages else { return nil }
    let chosen = seriesNumbers(
      chosenBy: choice, of: below.images.enumerated().map { ($0 + 1, $1.seriesInstanceUID) }
    ).map { below.images[$0 - 1] }
    guard chosen.count == 1 else {
      let problem = chosen.isEmpty ? "has no such series" : "has \(chosen.count) series of this UID"
      throw InputError(
        path, problem, found: choice.printableLine, expected: below.lines.joined(separator: "; "))
    }
    guard let content = chosen[0].content else {
      throw InputError(path, "holds too many files below it", expected: "the folder of one image")
    }
    // The number may change with the folders beside it.
    let isOneOfSeveral = chosen[0].isDivided && below.images.count > 1
    return try open(
      content, named: nil, path: path, ImageReadingOptions(),
      seriesInFolder: isOneOfSeveral ? chosen[0].seriesInstanceUID : nil)
  }

  private static func requireNoSeries(_ options: ImageReadingOptions, _ path: String) throws(InputError) {
    guard let series = options.series else { return }
    throw InputError(path, "is one segmentation", found: "--series \(series)", expected: "no such option")
  }

  /// - Parameter seriesInFolder: The choice that opens the image again where it is one of several below a folder.
  private static func open(
    _ folder: DicomFolder, named: DicomInstance?, path: String, _ options: ImageReadingOptions,
    seriesInFolder: String? = nil
  ) throws(InputError) -> ImageFile {
    let images = folder.imageSeries
    let segmentations = folder.instances.filter { $0.segmentation != nil }
    if images.isEmpty, segmentations.count == 1 {
      try requireNoSeries(options, path)
      return try SegmentationImage.open(segmentations[0], path: path, segment: options.segment)
    }
    if images.isEmpty, let first = segmentations.first {
      let list = segmentations.map { instance in
        let count = instance.segmentation?.segments.count ?? 0
        return "\(FilePath.name(of: instance.path)) (\(counted(count, "segment")))"
      }
      throw InputError(
        path, "holds no image, but \(counted(segmentations.count, "segmentation"))",
        found: list.joined(separator: ", "), expected: "the path of one, such as \(first.path)")
    }
    if let segment = options.segment {
      throw InputError(path, "is no segmentation", found: "--segment \(segment)", expected: "no such option")
    }
    let candidates = images.enumerated().filter { entry in
      named.map { named in entry.element.instances.contains { $0.path == named.path } } ?? true
    }
    let chosen = try choose(candidates.map { ($0.offset + 1, $0.element) }, options.series, path)
    guard let chosen else { throw folder.damaged.first?.error ?? noImage(folder, path) }
    let uid = chosen.first.seriesInstanceUID
    if let slice = folder.damaged.first(where: { $0.seriesInstanceUID == uid }) { throw slice.error }
    let isWithoutPixels = { (file: DicomInstance) in
      file.frames.isEmpty && file.seriesInstanceUID == uid && file.sopClassUID == chosen.first.sopClassUID
    }
    if !uid.isEmpty, let slice = folder.instances.first(where: isWithoutPixels) {
      throw InputError(slice.path, "has no pixels", expected: "an image, as the other files of its series")
    }
    try ConcatenationPart.requireAll(
      chosen.instances.compactMap(\.concatenationPart), among: folder.instances,
      unreadable: unreadable(folder.damaged), path: path)
    let paths = Set(chosen.instances.map(\.path))
    let number = images.firstIndex { $0.slices == chosen.slices && $0.first.path == chosen.first.path }
    let sharesFiles = images.indices.contains {
      $0 != number && images[$0].instances.contains { paths.contains($0.path) }
    }
    let image = try image(
      chosen, path: path, seriesInFile: sharesFiles ? number.map { "\($0 + 1)" } : seriesInFolder,
      damaged: folder.damaged)
    image.note([NeighbouringSlices(beside: chosen)?.finding].compactMap(\.self))
    return image
  }

  /// The names of damaged files that may be slices of any series.
  private static func unreadable(_ damaged: [DicomFolder.DamagedFile]) -> [String] {
    damaged.filter { $0.seriesInstanceUID == nil }.map {
      FilePath.name(of: $0.error.subject)
    }
  }

  /// Findings about damaged files that are not known to be slices of the image.
  private static func findings(_ damaged: [DicomFolder.DamagedFile]) -> [Finding] {
    func finding(_ files: [DicomFolder.DamagedFile], _ consequence: String) -> Finding? {
      guard let first = files.first else { return nil }
      let name = FilePath.name(of: first.error.subject)
      let error = first.error
      let reason = first.wasRead ? error.problem : error.found ?? error.problem
      let problem = "\(name) cannot be read (\(reason))".printableLine
      let others = files.count > 1 ? ", nor can \(counted(files.count - 1, "other file"))" : ""
      return Finding(problem + others, repair: "\(itIs(files.count)) \(consequence)")
    }
    return [
      finding(damaged.filter { $0.seriesInstanceUID != nil }, "not part of this series"),
      finding(
        damaged.filter { $0.seriesInstanceUID == nil },
        "left out; see that no slice of this series is missing"),
    ].compactMap(\.self)
  }

  private static func noImage(_ folder: DicomFolder, _ path: String) -> InputError {
    InputError(
      path, "directly holds no DICOM image", found: counted(folder.instances.count, "DICOM file"),
      expected: "the files of a series")
  }

  /// The numbers of the series that a number, a UID or the beginning of one chooses.
  private static func seriesNumbers(
    chosenBy choice: String, of candidates: [(number: Int, uid: String)]
  ) -> [Int] {
    // A whole UID may be the beginning of another one.
    let named = candidates.filter { $0.uid == choice }
    let chosen =
      named.isEmpty
      ? candidates.filter { Int(choice) == $0.number || choice.contains(".") && $0.uid.hasPrefix(choice) }
      : named
    return chosen.map(\.number)
  }

  private static func choose(
    _ candidates: [(number: Int, series: DicomSeries)], _ choice: String?, _ path: String
  ) throws(InputError) -> DicomSeries? {
    if let choice {
      let numbers = seriesNumbers(
        chosenBy: choice, of: candidates.map { ($0.number, $0.series.first.seriesInstanceUID) })
      let found = candidates.filter { numbers.contains($0.number) }
      guard found.count == 1 else {
        let problem = found.isEmpty ? "has no such series" : "has \(found.count) series of this number or UID"
        throw InputError(
          path, problem, found: choice.printableLine, expected: list(found.isEmpty ? candidates : found))
      }
      return found[0].series
    }
    guard candidates.count > 1 else { return candidates.first?.series }
    if let stray = DifferingSlices(candidates.map(\.series)) { throw stray.error(path: path) }
    let uids = Set(candidates.map(\.series.first.seriesInstanceUID))
    let paths = candidates.flatMap { Set($0.series.instances.map(\.path)) }
    let haveOwnFiles = Set(paths).count == paths.count
    throw InputError(
      path,
      uids.count == 1
        ? "is one series of \(candidates.count) images that differ in \(differences(candidates.map(\.series)))"
        : "holds \(candidates.count) series", found: list(candidates),
      expected: haveOwnFiles ? "--series NUMBER, or the path of a file of one" : "--series NUMBER")
  }

  /// What distinguishes images of one series: "orientation and size".
  private static func differences(_ all: [DicomSeries]) -> String {
    func differ(_ areAlike: (DicomSeries, DicomSeries) -> Bool) -> Bool {
      all.dropFirst().contains { !areAlike(all[0], $0) }
    }
    func plane(_ series: DicomSeries) -> FramePlane? { series.frame(series.slices[0]).plane }
    let found: [(name: String, differs: Bool)] = [
      (
        "orientation or spacing",
        differ { one, other in
          if let one = plane(one), let other = plane(other) {
            one.isNear(other)
          } else {
            plane(one) == plane(other)
          }
        }
      ),
      (
        "size",
        differ {
          $0.first.format?.columns == $1.first.format?.columns
            && $0.first.format?.rows == $1.first.format?.rows
        }
      ),
      ("bits allocated", differ { $0.first.format?.bitsAllocated == $1.first.format?.bitsAllocated }),
      (
        "kind of pixels",
        differ {
          $0.first.format?.photometricInterpretation == $1.first.format?.photometricInterpretation
        }
      ),
    ]
    let names = found.filter(\.differs).map(\.name)
    if !names.isEmpty { return names.joined(separator: " and ") }
    return differ { $0.frame($0.slices[0]).stackID == $1.frame($1.slices[0]).stackID }
      ? "their stacks (0020,9056)" : "ImageType (0008,0008)"
  }

  /// The most series in the list of an error.
  private static let maximumListCount = 500

  private static func list(_ candidates: [(number: Int, series: DicomSeries)]) -> String {
    let shown = candidates.prefix(maximumListCount).map { "\($0.number): \($0.series.summary)" }
    return (shown + (candidates.count > shown.count ? ["and \(candidates.count - shown.count) more"] : []))
      .joined(separator: "; ")
  }

  /// Refuses a slice without a scaling beside slices whose stored numbers are scaled: it would be in other units.
  private static func requireScalingOfAllSlices(_ series: DicomSeries) throws(InputError) {
    let scaled = series.slices.first { series.frame($0).scaling?.scaling.isIdentity == false }
    let unscaled = series.slices.first { series.frame($0).scaling == nil }
    if let scaled, let unscaled, let scaling = series.frame(scaled).scaling?.scaling {
      throw unscaledError(
        series, unscaled, "neither RescaleSlope (0028,1053) nor RescaleIntercept (0028,1052)", as: scaled,
        "\(significant(scaling.slope)) and \(significant(scaling.intercept))")
    }
    let parts: [(name: String, neutral: Double, value: (StatedScaling) -> Double?)] = [
      ("RescaleSlope (0028,1053)", 1, { $0.slope }), ("RescaleIntercept (0028,1052)", 0, { $0.intercept }),
    ]
    for part in parts {
      func value(_ slice: DicomSeries.Slice) -> Double? { series.frame(slice).scaling.flatMap(part.value) }
      guard let scaled = series.slices.first(where: { (value($0) ?? part.neutral) != part.neutral }),
        let lacking = series.slices.first(where: { value($0) == nil })
      else { continue }
      throw unscaledError(
        series, lacking, "no \(part.name)", as: scaled, significant(value(scaled) ?? part.neutral))
    }
  }

  private static func unscaledError(
    _ series: DicomSeries, _ slice: DicomSeries.Slice, _ lack: String, as other: DicomSeries.Slice,
    _ values: String
  ) -> InputError {
    let name = series.instance(slice).frames.count > 1 ? "frame \(slice.frame) " : ""
    return InputError(
      series.instance(slice).path, "\(name)states \(lack)", found: "none",
      expected: "one, as \(series.name(other)) has: \(values)")
  }

  /// The finding that the files of a series lie in several folders; nil where they lie in one.
  private static func division(_ series: DicomSeries) -> Finding? {
    let folders = Set(series.instances.map { FilePath.folder(of: $0.path) }).naturallySorted(by: \.self)
    guard folders.count > 1 else { return nil }
    let more = folders.count > 4 ? " and \(folders.count - 4) more" : ""
    let names = folders.prefix(4).map { FilePath.name(of: $0) }.joined(separator: ", ") + more
    return Finding(
      "the files of the series lie in \(folders.count) folders: \(names)",
      repair: "they are read as one image")
  }

  /// The finding that PET states more slices than there are, which may be missing at an end; nil where it does not.
  private static func unexpectedCount(_ series: DicomSeries, _ stack: SliceStack) -> Finding? {
    // Of several time points, some scanners state the slices of one, others those of all.
    let (own, all) = (stack.grid.size.k, series.slices.count)
    guard series.first.modality == "PT", let stated = series.first.statedSliceCount, stated > own,
      stated != all
    else { return nil }
    let times = all > own ? " of each of \(all / own) time points" : ""
    return Finding(
      "NumberOfSlices (0054,0081) is \(stated), and there \(own == 1 ? "is" : "are") \(counted(own, "slice"))\(times)",
      repair: "see that none is missing at an end")
  }

  private static func image(
    _ series: DicomSeries, path: String, seriesInFile: String?, damaged: [DicomFolder.DamagedFile]
  ) throws(InputError) -> ImageFile {
    let readers = series.instances.compactMap { FrameReader($0) }
    for reader in readers { try reader.check() }
    guard readers.count == series.instances.count else { throw InputError(path, "has no pixels") }
    if let instance = series.instances.first(where: \.hasLookUpTable) {
      throw InputError(
        instance.path,
        "its values are to be looked up in a ModalityLUTSequence (0028,3000), which is not read",
        expected: "RescaleSlope and RescaleIntercept, or neither")
    }
    try requireScalingOfAllSlices(series)
    let stack = try SliceStack(series, path: path, unreadable: unreadable(damaged))
    let commonType = try PixelFormat.commonType(of: Set(readers.map(\.format)), path: path)
    // 32-bit floats hold all numbers of 16 bits, but not those of 32.
    if commonType == nil, let wide = readers.first(where: { $0.format.bitsAllocated > 16 }) {
      throw InputError(
        path, "has slices with a sign and slices without one that are too large for one type",
        found: "\(wide.format.bitsStored) bits stored (0028,0101)", expected: "16 or fewer")
    }
    var slices: [DicomVoxels.Slice] = []
    for slice in stack.volumes.joined() {
      slices.append(
        DicomVoxels.Slice(
          instance: slice.instance, frame: slice.frame,
          type: try readers[slice.instance].format.voxelType(path: path),
          scaling: series.frame(slice).scaling?.scaling ?? VoxelScaling()))
    }
    let appliesScaling = commonType == nil || slices.contains { $0.scaling != slices[0].scaling }
    let voxelType = appliesScaling ? .float32 : commonType ?? .float32
    let reader = DicomVoxels(
      instances: readers, slices: slices, slicesPerVolume: stack.grid.size.k, appliesScaling: appliesScaling)
    let reference = DicomReference(series, stack)
    var findings = stack.findings + Self.findings(damaged) + series.mixtures + reference.findings
    findings += [division(series), unexpectedCount(series, stack)].compactMap(\.self)
    for finding in series.instances.flatMap(\.findings) where !findings.contains(finding) {
      findings.append(finding)
    }
    let storage = ["DICOM", series.first.modality, series.first.syntax.name]
    return ImageFile(
      path: path, storage: storage.filter { !$0.isEmpty }.joined(separator: ", "),
      modality: series.first.modality,
      source: ImageSource(grid: stack.grid, header: reference),
      voxelType: voxelType,
      scaling: appliesScaling ? VoxelScaling() : slices[0].scaling,
      frameSizes: stack.volumes.count > 1 ? [stack.volumes.count] : [],
      files: series.instances.map(\.path).sorted(), seriesInFile: seriesInFile,
      dicomSubject: DicomSubject(series.first), reader: reader,
      findings: findings)
  }
}

/// A few slices of a series whose size, spacing, orientation or kind differs from that of the others.
private struct DifferingSlices {
  let series: DicomSeries
  let main: DicomSeries

  /// nil unless `all` have one series instance UID, most slices are in one of them, and none of the others is a scout.
  init?(_ all: [DicomSeries]) {
    let uids = Set(all.map(\.first.seriesInstanceUID))
    let sorted = all.sorted { $0.slices.count > $1.slices.count }
    guard uids.count == 1, sorted.count > 1 else { return nil }
    let others = sorted.dropFirst()
    let count = others.reduce(0) { $0 + $1.slices.count }
    let isScout = others.contains { $0.frame($0.slices[0]).imageType.contains("LOCALIZER") }
    guard !isScout, count * 2 < sorted[0].slices.count else { return nil }
    (main, series) = (sorted[0], sorted[1])
  }

  func error(path: String) -> InputError {
    let name = series.name(series.slices[0])
    let (one, other) = (series.first.format, main.first.format)
    if let one, let other, one.rows != other.rows || one.columns != other.columns {
      return InputError(
        path, "\(name) has another size than the other slices", found: "\(one.columns)x\(one.rows)",
        expected: "\(other.columns)x\(other.rows)")
    }
    if let one, let other, one.bitsAllocated != other.bitsAllocated {
      return InputError(
        path, "\(name) has other pixels than the other slices", found: "\(one.bitsAllocated) bits allocated",
        expected: "\(other.bitsAllocated)")
    }
    if let one, let other, one.photometricInterpretation != other.photometricInterpretation {
      return InputError(
        path, "\(name) has other pixels than the other slices",
        found: one.photometricInterpretation.printableLine,
        expected: other.photometricInterpretation.printableLine)
    }
    let (plane, usual) = (series.frame(series.slices[0]).plane, main.frame(main.slices[0]).plane)
    if let plane, let usual,
      plane.columnSpacing != usual.columnSpacing || plane.rowSpacing != usual.rowSpacing
    {
      return InputError(
        path, "\(name) has another spacing than the other slices",
        found: "\(significant(plane.columnSpacing)) x \(significant(plane.rowSpacing)) mm",
        expected: "\(significant(usual.columnSpacing)) x \(significant(usual.rowSpacing)) mm")
    }
    if let plane, let usual, !plane.isNear(usual) {
      return InputError(
        path, "\(name) has another orientation than the other slices", found: text(plane),
        expected: text(usual))
    }
    return InputError(
      path, "\(name) is another kind of image than the other slices",
      found: series.summary, expected: main.summary)
  }

  private func text(_ plane: FramePlane) -> String {
    [plane.rowDirection, plane.columnDirection].flatMap { [$0.x, $0.y, $0.z] }.map { significant($0, 4) }
      .joined(
        separator: "\\")
  }
}
