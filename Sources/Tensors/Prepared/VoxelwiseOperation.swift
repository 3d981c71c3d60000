/// An operation whose output at a voxel depends on the inputs at that voxel alone, without scratch memory.
package protocol VoxelwiseOperation: PreparedOperation {}

extension VoxelwiseOperation {
  package var weightBytes: Int { 0 }
  package func outputExtent(_ input: Extent3) -> Extent3? { input }
  package func inputPlanes(for planes: Range<Int>, inputDepth: Int) -> Range<Int> { planes }

  /// One for each voxel and channel of the inputs: the time of a pass over memory.
  package func operationCount(input: Extent3, channels: Int) -> Double { Double(channels * input.product) }

  package func scratchCount(planes: Int, input: Extent3, channels: Int, batch: Int, threadCount: Int) -> Int {
    0
  }
}
