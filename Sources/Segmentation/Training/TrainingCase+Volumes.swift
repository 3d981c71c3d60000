import Tensors
import Volumes
import Work

extension TrainingCase {
  /// The case of an image and its labels: reoriented, normalised, resampled, label values turned into classes.
  ///
  /// - Parameters:
  ///   - selections: The structures in the order of their classes; class 1 is the first.
  ///   - ignoredValues: Values of unlabelled voxels; they become ``unlabelledClass``.
  /// - Throws: ``InputError`` when there are too many structures or the labels are not on the image's grid;
  ///   ``Cancelled``.
  package init(
    name: String, image: ScalarVolume, labels: LabelVolume, selections: [LabelSelection],
    ignoredValues: [Int] = [], preprocessing: Preprocessing, work: WorkContext
  ) throws {
    guard selections.count < Int(Self.ignoredClass) else {
      throw InputError(
        name, "more structures than a network is trained on", found: "\(selections.count)",
        expected: "at most \(Self.ignoredClass - 1)")
    }
    let fitting = try labels.fitted(to: image.grid, subject: name, work: work)
    let orientation = try preprocessing.parsedOrientation
    let axes = ReorientedGrid(image.grid, orientation: orientation)
    let prepared = try preprocessing.prepared(image, work: work)
    let moved = try axes.reoriented(fitting, work: work)
    let working = try moved.resampled(to: prepared.grid, work: work)
    var classOfValue = [UInt8](repeating: 0, count: 65536)
    for code in labels.coding.codes(of: ignoredValues) { classOfValue[Int(code)] = Self.unlabelledClass }
    for (index, selection) in selections.enumerated() {
      for code in labels.coding.codes(of: selection.values) { classOfValue[Int(code)] = UInt8(index + 1) }
    }
    let classes = working.voxels.map { classOfValue[Int($0)] }
    self.init(
      name: name, size: prepared.grid.size, intensities: try prepared.voxels.floats(work: work),
      classes: classes,
      classCount: selections.count + 1)
  }
}
