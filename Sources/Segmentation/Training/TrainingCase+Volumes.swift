import Tensors
import Volumes
import Work

extension TrainingCase {
  /// The case of images and their labels: reoriented, normalised, resampled, label values turned into classes.
  ///
  /// - Parameters:
  ///   - images: One for each channel of the preprocessing, on one grid.
  ///   - selections: The structures in the order of their classes; class 1 is the first.
  ///   - ignoredValues: Values of unlabelled voxels; they become ``unlabelledClass``.
  /// - Throws: ``InputError`` when there are too many structures, not one image for each channel on one grid, or the
  ///   labels are not on it; ``Cancelled``.
  package init(
    name: String, images: [ScalarVolume], labels: LabelVolume, selections: [LabelSelection],
    ignoredValues: [Int] = [], preprocessing: Preprocessing, work: WorkContext
  ) throws {
    guard selections.count < Int(Self.ignoredClass) else {
      throw InputError(
        name, "more structures than a network is trained on", found: "\(selections.count)",
        expected: "at most \(Self.ignoredClass - 1)")
    }
    let images = try preprocessing.onOneGrid(images)
    let fitting = try labels.fitted(to: images[0].grid, subject: name, work: work)
    let orientation = try preprocessing.parsedOrientation
    let axes = ReorientedGrid(images[0].grid, orientation: orientation)
    let prepared = try preprocessing.prepared(images, work: work)
    let moved = try axes.reoriented(fitting, work: work)
    let working = try moved.resampled(to: prepared[0].grid, work: work)
    var classOfValue = [UInt8](repeating: 0, count: 65536)
    for code in labels.coding.codes(of: ignoredValues) { classOfValue[Int(code)] = Self.unlabelledClass }
    for (index, selection) in selections.enumerated() {
      for code in labels.coding.codes(of: selection.values) { classOfValue[Int(code)] = UInt8(index + 1) }
    }
    let classes = working.voxels.map { classOfValue[Int($0)] }
    self.init(
      name: name, size: prepared[0].grid.size, intensities: try prepared.channelFloats(work: work),
      classes: classes, classCount: selections.count + 1)
  }
}
