import Networks
import Tensors
import Volumes
import Work

/// The logits of some planes that a network delivers, for conversion to probabilities and labels of an image of the
/// given size; padding is cropped.
struct LogitPlanes: Sendable {
  /// One window per head, all of the same planes.
  let heads: [ActivationWindow]
  /// One per head.
  let activations: [HeadActivation]
  /// The image's own size.
  let size: GridSize

  private var classCount: Int { activations[0].classCount(channels: heads[0].channels) }
  private var pixels: Int { size.i * size.j }
  /// The planes inside the image.
  var slices: Range<Int> { heads[0].planes.clamped(to: 0..<size.k) }

  /// Writes the class probabilities of every head to `volumes`, [classes, k, j, i] each.
  func writeProbabilities(to volumes: [DisjointBuffer<Float>], work: WorkContext) throws(Cancelled) {
    let voxelCount = size.voxelCount
    try work.forEach(count: heads.count * slices.count) { index, _ in
      let (head, k) = (index / slices.count, slices.lowerBound + index % slices.count)
      write(head, k, to: volumes[head].start + k * pixels, stride: voxelCount)
    }
  }

  /// Writes the label of the most probable class of the mixed heads; the lower class where probabilities are equal.
  func writeLabels(
    _ labelValues: [UInt16], mix: HeadMix, to labels: DisjointBuffer<UInt16>, work: WorkContext
  ) throws(Cancelled) {
    let (classes, pixels) = (classCount, pixels)
    var scratch = try [Float](checkedRepeating: 0, count: work.threadCount * 2 * classes * pixels)
    var cancelled: Cancelled?
    scratch.withUnsafeMutableBufferPointer { scratch in
      let scratch = DisjointBuffer(scratch)
      do throws(Cancelled) {
        try work.forEach(count: slices.count) { index, worker in
          let k = slices.lowerBound + index
          let mixed = scratch.start + worker * 2 * classes * pixels
          let single = mixed + classes * pixels
          write(0, k, to: mixed, stride: pixels)
          mix.apply(to: mixed, count: classes * pixels) { head, add in
            write(head, k, to: single, stride: pixels)
            add(single)
          }
          let target = labels.start + k * pixels
          target.update(repeating: labelValues[0], count: pixels)
          for index in 1..<classes {
            let candidate = mixed + index * pixels
            for voxel in 0..<pixels where candidate[voxel] > mixed[voxel] {
              mixed[voxel] = candidate[voxel]
              target[voxel] = labelValues[index]
            }
          }
        }
      } catch { cancelled = error }
    }
    if let cancelled { throw cancelled }
  }

  /// Writes the class probabilities of one slice of one head, classes `stride` floats apart.
  private func write(_ head: Int, _ k: Int, to target: UnsafeMutablePointer<Float>, stride: Int) {
    let window = heads[head]
    let logits = target + (classCount - window.channels) * stride
    for index in 0..<window.channels {
      let plane =
        window.start(sample: 0, channel: index) + (k - window.planes.lowerBound) * window.planeStride
      for j in 0..<size.j {
        (logits + index * stride + j * size.i).update(from: plane + j * window.extent.w, count: size.i)
      }
    }
    if activations[head] == .sigmoid {
      paintRegions(at: target, regionCount: window.channels, stride: stride, count: pixels)
    }
    softmax(at: target, channels: classCount, stride: stride, count: pixels)
  }
}
