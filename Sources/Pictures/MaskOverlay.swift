import Volumes
import Work

/// The labels or differences that are drawn over an image.
package enum MaskOverlay: Sendable {
  /// The style of a label.
  package enum Style: String, Sendable, CaseIterable { case outline, fill }

  /// The image alone.
  case nothing
  /// The labels that have a rank; `colours` holds the colour of each rank, beginning with rank 1.
  case labels(ChunkedLabels, LabelRanks, colours: [RGBColour], Style)
  /// The difference of two masks: filled where one of them has a label, outlined where both have the same.
  case difference(ChunkedLabels, LabelRanks, ChunkedLabels, LabelRanks)

  /// The opacity of a filled label, and of a difference, which must also be visible where it is small.
  private static let (fillOpacity, differenceOpacity) = (0.4, 0.6)

  /// Draws the overlay in one slice onto a picture of the image.
  func draw(onto picture: inout Picture, _ sampler: SliceSampler) {
    var classes = [UInt16](repeating: 0, count: picture.width * picture.height)
    switch self {
    case .nothing: return
    case .labels(let labels, let ranks, let colours, let style):
      sampler.classify(labels, ranks, into: &classes)
      Self.paint(classes, onto: &picture, opacity: Self.fillOpacity) { rank in
        (colour: colours[Int(rank) - 1], isOutlined: style == .outline)
      }
    case .difference(let a, let ranksA, let b, let ranksB):
      sampler.classify(a, ranksA, b, ranksB, into: &classes, combine: MaskAgreement.of)
      Self.paint(classes, onto: &picture, opacity: Self.differenceOpacity) { agreement in
        (colour: MaskAgreement.colour(agreement), isOutlined: agreement < MaskAgreement.onlyB)
      }
    }
  }

  private static func paint(
    _ classes: [UInt16], onto picture: inout Picture, opacity: Double,
    _ look: (UInt16) -> (colour: RGBColour, isOutlined: Bool)
  ) {
    let width = picture.width
    for (pixel, own) in classes.enumerated() where own != 0 {
      let (x, y) = (pixel % width, pixel / width)
      let (colour, isOutlined) = look(own)
      guard isOutlined else {
        picture[x, y] = picture[x, y].blended(with: colour, opacity: opacity)
        continue
      }
      // At the edge of the picture, a label has no border.
      let neighbours = [
        x > 0 ? pixel - 1 : pixel, x + 1 < width ? pixel + 1 : pixel, y > 0 ? pixel - width : pixel,
        y + 1 < picture.height ? pixel + width : pixel,
      ]
      if neighbours.contains(where: { classes[$0] != own }) { picture[x, y] = colour }
    }
  }
}
