import Tensors

/// Images and the label of every voxel.
package struct TrainingBatch: Sendable {
  /// The images, [N, channels, D, H, W].
  package let input: Tensor
  /// One label per voxel, [N, D, H, W], x fastest.
  package let labels: [UInt8]

  /// A batch; `labels` has one element for each voxel of each image.
  package init(input: Tensor, labels: [UInt8]) {
    precondition(
      labels.count == input.batch * input.extent.product,
      "\(labels.count) labels for \(input.batch) images of \(input.extent.product) voxels")
    self.input = input
    self.labels = labels
  }
}
