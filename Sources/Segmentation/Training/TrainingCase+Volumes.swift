import Tensors
import Volumes
import Work

extension TrainingCase {
  /// The case of an image and its labels: reoriented, normalised, resampled, label values turned into classes.
  ///
  /// - Parameters:
  ///   - selections: The structures in the order of their classes; class 1 is the first.
  /// - Throws: ``InputError`` when the labels do not lie on the image's grid, or none of the structures occurs.
  package init(
    name: String, image: ScalarVolume, labels: LabelVolume, selections: [LabelSelection],
    preprocessing: Preprocessing, work: WorkContext
  ) throws {
    let fitting = try labels.fitted(to: image.grid, subject: name, work: work)
    let orientation = try preprocessing.parsedOrientation
    let axes = ReorientedGrid(image.grid, orientation: orientation)
    let prepared = try preprocessing.prepared(image, work: work)
    let moved = try axes.reoriented(fitting, work: work)
    let working = try moved.resampled(to: prepared.grid, work: work)
    var classOfValue = [UInt8](repeating: 0, count: 65536)
    for (index, selection) in selections.enumerated() {
      for value in selection.values { classOfValue[Int(value)] = UInt8(index + 1) }
    }
    let classes = working.voxels.map { classOfValue[Int($0)] }
    guard classes.contains(where: { $0 > 0 }) else {
      throw InputError(
        name, "no voxel has any of the labels",
        found: labels.voxelCounts().keys.sorted().prefix(12).map(String.init).joined(separator: ", "),
        expected: selections.map(\.description).joined(separator: " "))
    }
    self.init(
      name: name, size: prepared.grid.size, intensities: prepared.voxels, classes: classes,
      classCount: selections.count + 1)
  }
}
