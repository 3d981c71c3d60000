import Networks
import Tensors
import Volumes
import Work

/// A U-Net that follows from the spacing of the working grid, the size of crops and the memory of the machine.
package struct UNetPlan: Equatable, Sendable {
  /// Voxels of a crop: multiples of the network's total stride.
  package let cropSize: GridSize
  /// Kernels and strides.
  package let stages: UNetStages
  /// Channels of the first stage.
  package var channels: Int

  /// Channels of the first stage, from those of nnU-Net down to those for a machine with little memory.
  private static let widths = [32, 24, 16, 12]
  private static let narrowest = 8

  /// The plan with `channels` channels in the first stage, for crops of at least `cropSize` voxels on a grid of `spacing`.
  ///
  /// Extents of the crop are raised to multiples of the total stride.
  package init(cropSize: GridSize, spacing: Spacing, channels: Int) {
    let extent = Extent3(cropSize.k, cropSize.j, cropSize.i)
    stages = UNetStages(extent: extent) { axis in
      switch axis {
      case .d: spacing.k
      case .h: spacing.j
      case .w: spacing.i
      }
    }
    let padded = stages.padded(extent)
    self.cropSize = GridSize(padded.w, padded.h, padded.d)
    self.channels = channels
  }

  /// The plan with the widest network of which two crops need at most half of `memoryBytes`, or the narrowest.
  package init(cropSize: GridSize, spacing: Spacing, classes: Int, memoryBytes: Int) {
    self.init(cropSize: cropSize, spacing: spacing, channels: Self.narrowest)
    let limit = TrainingLimit.memoryFraction * Double(memoryBytes)
    for width in Self.widths {
      var wide = self
      wide.channels = width
      guard let graph = try? wide.graph(classes: classes).resolved(),
        2 * Double(self.cropSize.voxelCount) * graph.trainingBytesPerVoxel <= limit
      else { continue }
      channels = width
      return
    }
  }

  /// Checks channels of the first stage that a user chose.
  /// - Throws: ``InputError`` about `subject` unless they are 1 to 512.
  package static func check(channels: Int, subject: String) throws(InputError) {
    guard (1...512).contains(channels) else {
      throw InputError(subject, "cannot train", found: "\(channels)", expected: "1 to 512")
    }
  }

  /// The network with `classes` classes, which reads `inputChannels` images.
  package func graph(classes: Int, inputChannels: Int = 1) -> NetworkGraph {
    .uNet(stages, classes: classes, inputChannels: inputChannels, channels: channels)
  }

  /// "U-Net of 3 stages from 32 channels, strides 1x2x2 2x2x2".
  package var summary: String {
    let strides = stages.stages.dropFirst().map { "\($0.stride.w)x\($0.stride.h)x\($0.stride.d)" }
    return "U-Net of \(counted(stages.stages.count, "stage")) from \(channels) channels"
      + (strides.isEmpty ? "" : ", strides " + strides.joined(separator: " "))
  }
}
