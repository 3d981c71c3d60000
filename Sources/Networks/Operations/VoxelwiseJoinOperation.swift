import Tensors

/// A join of its inputs voxel by voxel, to which an input with one channel or with one voxel for the whole image counts
/// for all channels or voxels of the others.
package protocol VoxelwiseJoinOperation: NetworkOperation {}

extension VoxelwiseJoinOperation {
  package var inputGrids: InputGrids { .equalOrWholeImage }

  package func problem(inputChannels: [Int]) -> String? {
    let channels = outputChannels(inputChannels)
    return inputChannels.allSatisfy { $0 == channels || $0 == 1 } ? nil : "its inputs differ in channels"
  }

  package func outputChannels(_ inputs: [Int]) -> Int { inputs.max() ?? 0 }
}
