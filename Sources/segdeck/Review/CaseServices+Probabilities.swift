import ImageFormats
import Metrics
import Review
import Segmentation
import Volumes
import Work

extension CaseServices {
  func uncertainty(
    of source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> SliceUncertainty {
    let entropies: SliceEntropies
    switch source {
    case .run(let handle):
      guard let known = runs.predictionInMemory(ofRun: handle.number) else {
        return SliceUncertainty(
          source: source, entropies: nil,
          failure: "the network's probabilities are not in memory; m runs it again")
      }
      entropies = try known.prediction.sliceEntropies(
        auxiliaryHeadWeights: known.auxiliaryHeadWeights, work: work)
    case .file(let path):
      entropies = try SliceEntropies(ofFile: FilePath.expandingTilde(path), on: grid, work: work)
    }
    return SliceUncertainty(source: source, entropies: entropies)
  }

  func probability(
    ofLabel value: UInt16, _ source: ProbabilitySource, on grid: VolumeGrid, _ work: WorkContext
  ) throws -> ScalarVolume? {
    switch source {
    case .run(let handle):
      guard let known = runs.predictionInMemory(ofRun: handle.number),
        let index = known.model.labelValues.firstIndex(of: value)
      else { return nil }
      return try known.prediction.probability(
        ofClass: index, auxiliaryHeadWeights: known.auxiliaryHeadWeights, work: work)
    case .file(let path):
      let path = FilePath.expandingTilde(path)
      let file = try ProbabilityFile(path, on: grid)
      // Without a file of names beside it, class n has label n.
      let labels = try ProbabilitySidecar.read(besideProbabilities: path)?.labels.labels.map(\.value)
      let index = labels.map { ([0] + $0).firstIndex(of: value) } ?? Int(value)
      guard let index, (0..<file.classCount).contains(index) else { return nil }
      var values = try [Float](checkedRepeating: 0, count: grid.size.voxelCount)
      try file.read(classes: index..<index + 1, work: work) { part, _, first in
        for offset in part.indices { values[first + offset] = part[offset] }
      }
      return ScalarVolume(grid: grid, voxels: values)
    }
  }
}

extension SliceEntropies {
  /// The mean entropies of the class probabilities in a file.
  /// - Throws: ``InputError`` as ``ProbabilityFile``, and for a voxel whose values are not probabilities; `Cancelled`.
  /// - Complexity: O(voxels · classes); 8 bytes for each voxel.
  init(ofFile path: String, on grid: VolumeGrid, work: WorkContext) throws {
    let file = try ProbabilityFile(path, on: grid)
    var entropies = try VoxelEntropies(count: grid.size.voxelCount, classCount: file.classCount)
    try file.read(classes: 0..<file.classCount, work: work) { part, _, first in
      entropies.add(part, from: first)
    }
    if let voxel = entropies.firstInvalidVoxel {
      let index = grid.size.index(offset: voxel)
      throw InputError(
        path, "voxel (\(index.i), \(index.j), \(index.k)) has no class probabilities",
        expected: "values from 0 to 1 that add up to 1")
    }
    self.init(entropies.fractions(), on: grid.size)
  }
}
