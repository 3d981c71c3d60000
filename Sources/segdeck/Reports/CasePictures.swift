import Metrics
import Pictures
import Volumes
import Work

/// Size, planes, window and overlay of the pictures of a case.
struct PictureStyle {
  /// The width of a picture in pixels.
  var width: Int
  /// The maximum height of planes in pixels, where a higher picture is drawn narrower between margins; nil for none.
  var maximumHeight: Int?
  /// The plane that is shown; nil for all three.
  var plane: AnatomicalPlane?
  /// The voxel that the planes pass through; nil for the middle of the largest label or difference.
  var voxel: VoxelIndex?
  /// The intensities that are black and white; nil for the window with which a review opens the image.
  var window: IntensityWindow?
  var overlay = MaskOverlay.Style.outline
  /// The margin around the masks that is shown, in millimetres; nil for the whole image.
  var marginMillimetres: Double?
  /// The structures that are shown; empty for all labels.
  var selections: [LabelSelection] = []
}

/// A picture of a case with its title and legend.
struct CasePicture {
  var picture: Picture
  /// What the picture shows: "A nnunet".
  var title: String
  var legend: [LegendEntry]

  /// The picture with a caption below it, whose first line is `heading` and the title.
  func captioned(_ heading: String) -> Picture {
    PictureCaption([[heading, title].filter { !$0.isEmpty }.joined(separator: "  ")], legend: legend)
      .below(picture)
  }
}

/// Draws an image with its masks.
struct CasePainter {
  private let image: ScalarVolume
  private let masks: [DrawnMask]
  private let structures: [DrawnMask.Structure]
  private let style: PictureStyle
  private let window: IntensityWindow
  private let box: VoxelBounds?
  /// The maximum number of labels in a legend.
  private static let legendLimit = 24

  /// - Throws: ``InputError`` when the voxel lies outside the image; ``Cancelled``.
  init(_ image: ScalarVolume, _ content: ReadCase, _ style: PictureStyle, work: WorkContext) throws {
    self.image = image
    self.style = style
    if let voxel = style.voxel, !image.grid.size.contains(voxel) {
      let size = image.grid.size
      throw InputError(
        "--at", "lies outside the image", found: "\(voxel.i),\(voxel.j),\(voxel.k)",
        expected: "up to \(size.i - 1),\(size.j - 1),\(size.k - 1)")
    }
    // Chunks may take as much memory as whole volumes.
    try LabelVolume.requireMemory(
      on: image.grid.size, volumes: content.masks.count, subject: content.masks.last?.name ?? "masks")
    window = style.window ?? IntensitySummary(image).openingPreset.window
    let letters = ["A ", "B "]
    let drawn = try content.masks.enumerated().map { position, mask in
      let letter = content.masks.count > 1 && position < letters.count ? letters[position] : ""
      let coding = mask.fitted.labels.coding
      return try DrawnMask(
        mask.fitted.labels, name: letter + mask.name,
        names: style.selections.names(over: mask.fitted.names, coding: coding),
        only: style.selections.isEmpty ? nil : style.selections.codes(coding), work: work.withoutProgress)
    }
    masks = drawn
    let selected = content.masks.first.map { style.selections.codes($0.fitted.labels.coding) } ?? []
    structures = try content.structures(work: work.withoutProgress).map { structure in
      func shown(_ values: [UInt16]) -> [UInt16] {
        style.selections.isEmpty ? values : values.filter(selected.contains)
      }
      return (a: shown(structure.referenceValues), b: shown(structure.otherValues))
    }.filter { !$0.a.isEmpty || !$0.b.isEmpty }
    box = style.marginMillimetres.flatMap { margin in
      drawn.compactMap(\.bounds).reduce(nil) { box, part in box?.union(part) ?? part }
        .map { $0.widened(by: margin, in: image.grid) }
    }
  }

  private var imageCentre: VoxelIndex { VoxelBounds(image.grid.size).centre }

  /// An overlay with its title and legend, and the voxel that the planes pass through.
  private struct Layer {
    var overlay: MaskOverlay
    var voxel: VoxelIndex
    var title: String
    var legend: [LegendEntry]
  }

  /// A layer for each mask; without masks, one layer of the image alone.
  private var maskLayers: [Layer] {
    if masks.isEmpty { return [Layer(overlay: .nothing, voxel: imageCentre, title: "", legend: [])] }
    // All masks are shown in the same slices, so that they can be compared.
    let voxel = masks.compactMap(\.centre).first ?? imageCentre
    return masks.map { mask in
      let labels = mask.labelsBySize.sorted { $0.value < $1.value }
      let more = labels.count - Self.legendLimit
      var legend = labels.prefix(Self.legendLimit).map { LegendEntry($0.colour, $0.name) }
      if more > 0 { legend.append(LegendEntry(RGBColour(128, 128, 128), "\(more) more")) }
      return Layer(overlay: mask.overlay(style.overlay), voxel: voxel, title: mask.name, legend: legend)
    }
  }

  /// The difference of the first two masks, at its largest component; nil with fewer than two masks.
  private func differenceLayer(_ work: WorkContext) throws -> Layer? {
    guard masks.count > 1 else { return nil }
    let (overlay, centre) = try DrawnMask.difference(masks[0], masks[1], structures: structures, work: work)
    let legend = [
      (MaskAgreement.onlyA, "only \(masks[0].name)"), (MaskAgreement.onlyB, "only \(masks[1].name)"),
      (MaskAgreement.conflict, "another label"), (0, "the same label"),
    ].map { LegendEntry(MaskAgreement.colour($0), $1) }
    return Layer(
      overlay: overlay, voxel: centre ?? masks[0].centre ?? masks[1].centre ?? imageCentre,
      title: centre == nil ? "A and B agree" : "where A and B differ most", legend: legend)
  }

  /// A picture for each mask over the image; without masks, one of the image alone.
  var overlays: [CasePicture] { maskLayers.map(drawn) }

  /// The difference of the first two masks, at its largest component; nil with fewer than two masks.
  /// - Throws: ``InputError`` where memory does not hold the components; ``Cancelled``.
  func difference(work: WorkContext) throws -> CasePicture? { try differenceLayer(work).map(drawn) }

  /// The pictures of a report: the first mask, and the difference of the first two.
  /// - Throws: As ``difference(work:)``.
  func reported(work: WorkContext) throws -> [CasePicture] {
    // The report is about the first mask; the second is shown where it differs from the first.
    [overlays.first, try difference(work: work)].compactMap(\.self)
  }

  private func drawn(_ layer: Layer) -> CasePicture {
    let painter = SlicePainter(image, window: window, overlay: layer.overlay, box: box)
    let voxel = style.voxel ?? layer.voxel
    func planes(width: Int) -> Picture {
      style.plane.map { painter.onePlane($0, through: voxel, width: width) }
        ?? painter.threePlanes(through: voxel, width: width)
    }
    var picture = planes(width: style.width)
    if let maximum = style.maximumHeight, picture.height > maximum {
      let narrow = planes(width: max(1, style.width * maximum / picture.height))
      picture = Picture(width: style.width, height: narrow.height)
      picture.draw(narrow, x: (picture.width - narrow.width) / 2, y: 0)
    }
    return CasePicture(picture: picture, title: layer.title, legend: layer.legend)
  }

  /// Slices of a plane with the first mask, or with the difference of the first two, over them.
  /// - Throws: As ``difference(work:)``; ``InputError`` for slices that the image does not have or that are too many.
  func montage(
    _ plane: AnatomicalPlane, slices: SliceChoice, columns: Int?, showsDifference: Bool, work: WorkContext
  ) throws -> CasePicture {
    let axis = image.grid.orientation.sliceAxis(of: plane)
    let range = box.map { $0.lower[axis]...$0.upper[axis] } ?? 0...image.grid.size[axis] - 1
    let positions = try slices.positions(in: range, count: image.grid.size[axis])
    let difference = showsDifference ? try differenceLayer(work.withoutProgress) : nil
    let layer = difference ?? maskLayers[0]
    let painter = SlicePainter(image, window: window, overlay: layer.overlay, box: box)
    let title = difference == nil ? layer.title : "difference"
    return CasePicture(
      picture: try painter.montage(
        plane, slices: positions, width: style.width, columns: columns, work: work),
      title: [title, plane.rawValue].filter { !$0.isEmpty }.joined(separator: ", "), legend: layer.legend)
  }
}

extension VoxelBounds {
  /// The box with a margin on every side, in millimetres, clipped to the grid.
  fileprivate func widened(by millimetres: Double, in grid: VolumeGrid) -> VoxelBounds {
    var box = self
    for axis in 0..<3 {
      let steps = Int(saturating: (millimetres / grid.spacing[axis]).rounded(.up))
      box.lower[axis] = max(0, box.lower[axis] - steps)
      box.upper[axis] = min(grid.size[axis] - 1, box.upper[axis] + steps)
    }
    return box
  }
}

extension [LabelSelection] {
  /// The codes of all their values.
  fileprivate func codes(_ coding: LabelCoding) -> Set<UInt16> {
    Set(flatMap { coding.codes(of: $0.values) })
  }

  /// A mask's names, where the names of the selections replace those of their values.
  fileprivate func names(over table: LabelTable?, coding: LabelCoding) -> LabelTable? {
    guard !isEmpty else { return table }
    let named = flatMap { selection in
      coding.codes(of: selection.values).map { code in
        Label(
          value: code, name: selection.name,
          colour: table?[code]?.colour ?? LabelTable.colour(ofValue: code))
      }
    }
    return LabelTable((table?.labels ?? []) + named)
  }
}
