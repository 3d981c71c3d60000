import Foundation
import ImageFormats
import Volumes
import Work

/// A mask from a file, voxel upon voxel on some image's grid.
struct FittedMask {
  let labels: LabelVolume
  /// The names that lie beside the file, if any.
  let names: LabelTable?
  /// What the user should know: "was reoriented", findings of the file.
  let notes: [String]

  /// Reads a mask and, when its axes are stored in another order or direction, reorients it.
  /// - Throws: ``InputError`` when the file is no mask, or does not fit the grid, with the first difference.
  init(_ path: String, on grid: VolumeGrid, frame: Int = 0, work: WorkContext = WorkContext()) throws {
    try self.init(ImageFile.open(path), on: grid, frame: frame, work: work)
  }

  /// Reads a mask whose file was opened already.
  /// - Throws: As ``init(_:on:frame:work:)``.
  init(_ file: ImageFile, on grid: VolumeGrid, frame: Int = 0, work: WorkContext = WorkContext()) throws {
    let path = file.path
    let fit = try GridFit(mask: file.grid, image: grid, subject: path)
    labels = try file.labelVolume(frame: frame, work: work.silent)
      .fitted(to: grid, subject: path, work: work.silent)
    var notes = file.findings.map { "\(path): \($0)" }
    if case .reoriented = fit {
      notes.append("\(path): stored as \(file.grid.orientation), reoriented to \(grid.orientation)")
    }
    names = try LabelNamesFile.read(besideMask: path)
    self.notes = notes
  }

  /// Writes the notes to stderr, a line each.
  func printNotes() {
    for note in notes { Console.note(note) }
  }
}

extension LabelSelection {
  /// The selections that `--label` options name.
  /// - Throws: ``InputError`` for a wrong one, or a name given twice.
  static func parsed(_ options: [String]) throws(InputError) -> [LabelSelection] {
    var selections: [LabelSelection] = []
    for option in options {
      let selection = try LabelSelection(option)
      guard !selections.contains(where: { $0.name == selection.name }) else {
        throw InputError("--label \(option)", "the name is given twice", found: selection.name)
      }
      selections.append(selection)
    }
    return selections
  }
}
