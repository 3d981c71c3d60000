import Volumes
import Work

/// The part of a segmentation that is read as a mask, because its segments may overlap.
package struct MaskPart: Equatable, Sendable {
  /// The segment, by its name, number or identifier; nil where none was chosen.
  package var segment: String?
  /// The layer, counted from 0; nil where none was chosen.
  package var layer: Int?

  /// A part; without arguments the whole.
  package init(segment: String? = nil, layer: Int? = nil) { (self.segment, self.layer) = (segment, layer) }
}

/// A mask that is to be added to the open case.
package struct MaskRequest: Equatable, Sendable {
  /// The path of the file as it was typed.
  package var path: String
  /// The part of the file that is read; nil for all of it.
  package var part: MaskPart?
  /// The path of the open image, on whose grid the mask is read.
  package var imagePath: String
  /// The coding of the masks that are open; nil where there is none.
  package var coding: LabelCoding?
  /// Names for the labels of masks that do not name theirs.
  package var selections: [LabelSelection]
}

/// A mask that was read beside an open case.
package struct AddedMask: Equatable, Sendable {
  /// The mask on the image's grid.
  package var mask: LoadedMask
  /// The components of its labels.
  package var components: LabelComponents
  /// The defects of its file that were repaired on reading, one line each.
  package var findings: [String]

  package init(mask: LoadedMask, components: LabelComponents, findings: [String]) {
    (self.mask, self.components, self.findings) = (mask, components, findings)
  }
}

/// Reads a mask, which becomes a version of the open case.
package struct MaskJob: Job {
  package static let kind = JobKind.mask
  /// The file of the mask, and the grid and coding that it must fit.
  package var request: MaskRequest
  /// The version's name; nil for the name of the file.
  package var name: String?

  package var title: String? { "opening \(FilePath.name(of: request.path).printableLine)" }

  package var stoppedText: String { "stopped opening the mask" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> AddedMask {
    let (mask, findings) = try environment.services.openMask(request, work.part(0...0.8))
    let components = try LabelComponents(mask.labels, work: work.withoutProgress)
    return AddedMask(mask: mask, components: components, findings: findings)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: AddedMask) -> [ReviewEffect] {
    state.add(outcome, named: name)
  }
}

/// An image that can be opened.
package struct CheckedImage: Equatable, Sendable {
  /// The absolute path of its file or folder.
  package var path: String
  /// The number or UID of one of several series in the file; nil where the path is enough.
  package var series: String?

  package init(path: String, series: String? = nil) { (self.path, self.series) = (path, series) }
}

/// Checks whether a file is an image that can be opened.
package struct ImageJob: Job {
  package static let kind = JobKind.image
  /// The path of the file as it was typed.
  package var path: String
  /// The number or UID of one of several series in a folder; nil where none was chosen.
  package var series: String?

  package var title: String? { "opening \(FilePath.name(of: path).printableLine)" }

  package var stoppedText: String { "stopped opening the image" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> CheckedImage {
    try environment.services.checkImage(path, series: series, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: CheckedImage) -> [ReviewEffect] {
    state.leave(for: outcome)
    return []
  }
}
