import ImageFormats
import Metrics
import Volumes
import Work
import Worklist

/// The image and masks of a case, read for pictures and comparisons.
struct ReadCase {
  /// A mask with its name in the case.
  struct Mask {
    var name: String
    var fitted: FittedMask
  }

  /// The image; nil where it cannot be read, or was not asked for.
  let image: ScalarVolume?
  /// The masks that fit the image, in their order.
  let masks: [Mask]
  /// An error for each file that could not be read or does not fit.
  let problems: [InputError]
  /// The pairings of the labels of the case's first two masks that readers chose.
  var pairings = CasePairings()

  /// An image and masks that are in memory, on the grid of the image.
  init(image: ScalarVolume?, masks: [Mask]) { (self.image, self.masks, problems) = (image, masks, []) }

  /// Reads the image of a case whose masks were read already.
  ///
  /// Masks that lie on another grid than the image are read again, on its own.
  /// - Parameters:
  ///   - hasImage: Whether the image is read.
  ///   - masks: The masks on the grid of the first one, with the files that they are of.
  /// - Throws: ``Cancelled``.
  init(
    _ item: WorklistCase, hasImage: Bool, reading masks: [Mask], of files: [WorklistCase.Mask],
    work: WorkContext
  ) throws(Cancelled) {
    let alone = try ReadCase(item, hasImage: hasImage, masks: [], work: work)
    if let grid = alone.image?.grid, masks.contains(where: { $0.fitted.labels.grid != grid }) {
      self = try ReadCase(item, hasImage: hasImage, masks: files, work: work)
    } else {
      (image, problems, self.masks) = (alone.image, alone.problems, masks)
    }
  }

  /// Reads a case of a worklist, with the choices of its columns.
  /// - Parameters:
  ///   - hasImage: Whether the image is read.
  ///   - masks: Those of its masks that are read.
  /// - Throws: ``Cancelled``.
  init(
    _ item: WorklistCase, hasImage: Bool = true, masks: [WorklistCase.Mask], work: WorkContext
  ) throws(Cancelled) {
    try self.init(
      image: hasImage ? item.images.first : nil,
      series: hasImage ? item.imageChoice() : ImageReadingOptions(),
      masks: masks.map { (name: $0.name, path: $0.path) }, choices: item.choices(of: masks), work: work)
  }

  /// Reads all files of a case that can be read; the others become ``problems``.
  ///
  /// Findings of the files are added to ``FindingNotes``.
  /// - Parameters:
  ///   - image: The image's file; nil for masks alone.
  ///   - frame: The frame of a 4D image; nil for the first.
  ///   - series: The choice of the image's series.
  ///   - masks: The names and files of the masks.
  ///   - choices: What to read of masks with several segments or layers, by their paths.
  /// - Throws: ``Cancelled``.
  init(
    image path: String?, frame: Int? = nil, series: ImageReadingOptions = ImageReadingOptions(),
    masks named: [(name: String, path: String)], choices: [String: ImageReadingOptions] = [:],
    work: WorkContext
  ) throws(Cancelled) {
    var problems: [InputError] = []
    let read: (file: ImageFile, volume: ScalarVolume)? = try Self.accepted(&problems) {
      guard let path else { return nil }
      let file = try ImageFile.open(path, options: series, work: work.withoutProgress)
      let volume = try file.scalarVolume(frame: frame, work: work.withoutProgress)
      FindingNotes.add(file)
      return (file, volume)
    }
    image = read?.volume
    var files: [(name: String, file: ImageFile)] = []
    for mask in named {
      let choice = choices[mask.path] ?? ImageReadingOptions()
      let opened = try Self.accepted(&problems) {
        try ImageFile.open(mask.path, options: choice, work: work.withoutProgress)
      }
      if let file = opened {
        files.append((name: mask.name, file: file))
      }
    }
    func fitted(_ files: [(name: String, file: ImageFile)]) throws -> [Mask] {
      let masks = try FittedMask.masks(files.map(\.file), of: read?.file, work: work.withoutProgress)
      return zip(files, masks).map { Mask(name: $0.name, fitted: $1) }
    }
    // The error of all masks together is dropped: each mask is tried again and reports its own.
    var ignored: [InputError] = []
    if let all = try Self.accepted(&ignored, { try fitted(files) }) {
      masks = all
    } else {
      // A mask that does not fit must not exclude the others.
      var fitting: [(name: String, file: ImageFile)] = []
      for mask in files {
        if try Self.accepted(&problems, { try fitted(fitting + [mask]) }) != nil { fitting.append(mask) }
      }
      masks = try Self.accepted(&problems) { try fitted(fitting) } ?? []
    }
    for mask in masks { mask.fitted.reportFindings() }
    self.problems = problems
  }

  /// The result of `body`, or nil where it throws an error other than ``Cancelled``, which is added to `problems`.
  private static func accepted<Result>(
    _ problems: inout [InputError], _ body: () throws -> Result?
  ) throws(Cancelled) -> Result? {
    do {
      return try body()
    } catch let error as InputError {
      problems.append(error)
    } catch is Cancelled {
      throw Cancelled()
    } catch {
      problems.append(InputError("case", "cannot be read", found: "\(error)"))
    }
    return nil
  }

  /// The structures of the first two masks: as ``pairings`` say where one applies to them, else matched by name, or by
  /// value where a mask has no names; empty with fewer than two masks.
  /// - Parameter extents: The extents of the labels of both masks; nil where they have to be found.
  /// - Throws: ``Cancelled``.
  /// - Complexity: O(voxels) without extents.
  func structures(_ extents: LabelExtents? = nil, work: WorkContext) throws(Cancelled) -> [MatchedStructure] {
    guard masks.count > 1 else { return [] }
    let (a, b) = (masks[0].fitted, masks[1].fitted)
    let overlaps: LabelOverlaps
    if let extents {
      overlaps = LabelOverlaps(extents)
    } else {
      overlaps = LabelOverlaps(try LabelExtents(reference: a.labels, other: b.labels, work: work))
    }
    let coding = a.labels.coding
    // A mask that could not be read is not among these.
    let areOfThese = pairings.areOf(masks[0].name, masks[1].name)
    return MatchedStructure.matches(
      reference: overlaps.referenceVoxelCounts.keys, referenceNames: a.names,
      other: overlaps.otherVoxelCounts.keys, otherNames: b.names,
      partners: areOfThese
        ? pairings.partners(a.names, b.names, overlaps: overlaps, coding: coding)?.codes : nil,
      coding: coding)
  }
}
