import ImageFormats
import Metrics
import Review
import Segmentation
import Volumes
import Work
import Worklist

extension CaseServices {
  func probabilities(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> VersionProbabilities? {
    switch source {
    case .run(let handle):
      return try runs.probabilities(ofRun: handle.number).map { try VersionProbabilities($0) }
    case .file(let path):
      let path = FilePath.expandingTilde(path)
      let volume = try ProbabilityFile(path, on: grid).volume(on: grid, work: work)
      let values =
        try Self.labelValues(besideProbabilities: path)
        ?? (0..<volume.classCount).map { UInt16(clamping: $0) }
      guard values.count == volume.classCount else {
        throw InputError(
          path, "has another number of classes than the file of names beside it",
          found: "\(volume.classCount)",
          expected: "\(values.count)")
      }
      return VersionProbabilities(volume, labelValues: values, on: grid)
    }
  }

  /// The label of each class by the file beside probabilities, 0 for background; nil where there is none.
  private static func labelValues(besideProbabilities path: String) throws -> [UInt16]? {
    try ProbabilitySidecar.read(besideProbabilities: path).map { [0] + $0.labels.labels.map(\.value) }
  }

  func uncertainty(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> SliceUncertainty {
    switch source {
    case .run(let handle):
      guard let known = runs.probabilities(ofRun: handle.number) else {
        return SliceUncertainty(
          source: source, entropies: nil, failure: "the network's probabilities are not in memory")
      }
      return SliceUncertainty(
        source: source, entropies: try known.sliceEntropies(work: work.part(0...0.9)),
        labels: try known.uncertainties(work: work.withoutProgress))
    case .file(let path):
      let known = try FileEntropies(FilePath.expandingTilde(path), on: grid, work: work)
      return SliceUncertainty(source: source, entropies: known.slices, labels: known.labels)
    }
  }

  func probability(
    ofLabel value: UInt16, _ source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> ScalarVolume? {
    switch source {
    case .run(let handle):
      return try runs.probabilities(ofRun: handle.number)?.probability(ofLabel: value, work: work)
    case .file(let path):
      let path = FilePath.expandingTilde(path)
      let file = try ProbabilityFile(path, on: grid)
      // Without a file of names beside it, class n has label n.
      let index =
        try Self.labelValues(besideProbabilities: path).map { $0.firstIndex(of: value) } ?? Int(value)
      guard let index, (0..<file.classCount).contains(index) else { return nil }
      var values = try [Float](checkedRepeating: 0, count: grid.size.voxelCount)
      try file.read(classes: index..<index + 1, work: work) { part, _, first in
        for offset in part.indices { values[first + offset] = part[offset] }
      }
      return ScalarVolume(grid: grid, voxels: values)
    }
  }
}

/// The entropies of the class probabilities in a file.
struct FileEntropies {
  /// The mean of each slice.
  let slices: SliceEntropies
  /// The uncertainty about each label; names are those beside the file, else "label 1", "label 2" and so on.
  let labels: [LabelUncertainty]

  /// Reads a file.
  /// - Throws: ``InputError`` as ``ProbabilityFile``, and for a voxel whose values are not probabilities; `Cancelled`.
  /// - Complexity: O(voxels · classes); 14 bytes for each voxel.
  init(_ path: String, on grid: VolumeGrid, work: WorkContext) throws {
    let file = try ProbabilityFile(path, on: grid)
    let sidecar = try ProbabilitySidecar.read(besideProbabilities: path)
    var entropies = try VoxelEntropies(count: grid.size.voxelCount, classCount: file.classCount)
    var classes = try MostProbableClasses(count: grid.size.voxelCount)
    try file.read(classes: 0..<file.classCount, work: work) { part, index, first in
      entropies.add(part, from: first)
      classes.add(part, class: index, from: first)
    }
    if let voxel = entropies.firstInvalidVoxel {
      let index = grid.size.index(offset: voxel)
      throw InputError(
        path, "voxel (\(index.i), \(index.j), \(index.k)) has no class probabilities",
        expected: "values from 0 to 1 that add up to 1")
    }
    let fractions = entropies.fractions()
    slices = SliceEntropies(fractions, on: grid.size)
    let means = try ClassEntropy.means(
      classes: classes.classes, entropies: fractions, on: grid, work: work.withoutProgress)
    let named = ["background"] + (sidecar?.labels.labels.map(\.name) ?? [])
    labels = LabelUncertainty.all(
      means, network: sidecar?.model ?? "",
      names: (0..<file.classCount).map { $0 < named.count ? named[$0] : "label \($0)" })
  }
}
