import CKernels
import Volumes
import Work

/// The mean field on decimated grids: per iteration one filtering of the grids and one pass over the voxels, in
/// which messages are read from the grids, the update is made and its result is added to the next grids.
///
/// Only differences Q(l) - Q(0) are filtered, one channel fewer than classes, and between two passes nothing is
/// stored per voxel unless the self term is excluded. The messages of an appearance kernel on a
/// lattice are added to the unary's logits between two passes.
struct GridMeanField: MeanField {
  let size: GridSize
  let unary: Unary
  let settings: RefinementSettings
  let appearance: AppearanceMethod?
  let smoothness: SmoothnessKernel?
  let level: kernels_level

  private var channels: Int { unary.classCount - 1 }
  var computedVoxelClasses: Int { channels * size.voxelCount }
  /// The appearance kernel where it is filtered on a grid.
  private var cells: AppearanceKernel? { if case .lowRank(let kernel) = appearance { kernel } else { nil } }
  /// The appearance kernel where it is filtered on a lattice.
  private var lattice: LatticeKernel? { if case .lattice(let kernel) = appearance { kernel } else { nil } }

  /// Bytes that ``run(wantsMarginals:work:)`` allocates at most; nil where they overflow an `Int`.
  ///
  /// Two grids of each kernel are alive, one that is read and one that is written; a lattice adds differences, logits
  /// and its own scratch memory of about two floats a voxel. Voxels of a few kinds get logits of their own.
  func byteCount(wantsMarginals: Bool, workers: Int) -> Int? {
    let grids = [cells?.shape(channels: channels), smoothness?.shape(channels: channels)].compactMap(\.self)
      .map { checkedProduct($0.planeFloats, $0.axes[2].cells, 2) }
    let perVoxel =
      (settings.excludesSelf || lattice != nil ? channels : 0) + (lattice == nil ? 0 : channels + 3)
      + (unary.kinds == nil ? 0 : channels)
      + (wantsMarginals ? unary.classCount : 0) + 1
    let floats = (grids + [checkedProduct(size.voxelCount + 16, perVoxel)]).reduce(0) { sum, part -> Int? in
      guard let sum, let part else { return nil }
      let (total, overflow) = sum.addingReportingOverflow(part)
      return overflow ? nil : total
    }
    return floats.flatMap { checkedProduct($0, MemoryLayout<Float>.stride) }
  }

  func run(wantsMarginals: Bool, work: WorkContext) throws(Cancelled) -> MeanFieldResult {
    let unary = try unary.expanded(work: work.withoutProgress)
    let appearanceShape = cells?.shape(channels: channels)
    let smoothnessShape = smoothness?.shape(channels: channels)
    let keepsDifferences = settings.excludesSelf || lattice != nil
    let differences = keepsDifferences ? try AlignedStorage<Float>(count: channels * unary.stride) : nil
    let logits = lattice == nil ? nil : try AlignedStorage<Float>(count: channels * unary.stride)
    let latticeScratch = try lattice?.scratch()
    var description = description(unary, differences)
    let voxels = GridPass(
      size: size,
      slabs: Slabs(planes: size.k, axes: [cells?.axes[2], smoothness?.axes[2]].compactMap(\.self)),
      level: level,
      scratch: try PassScratch(
        description, appearance: appearanceShape, smoothness: smoothnessShape, workers: work.threadCount))
    var received: KernelGrids?
    if appearance != nil || smoothness != nil {
      var free: KernelGrids?
      for iteration in 0..<settings.iterations {
        let next = try grids(after: received, free: free, appearanceShape, smoothnessShape, work)
        try voxels.run(description, from: received, to: next, work: work, Self.update)
        try filter(next, work)
        if let lattice, let logits, let differences, let latticeScratch {
          for channel in 0..<channels {
            let offset = channel * unary.stride
            try lattice.addMessages(
              of: differences.start + offset, to: unary.logits.start + offset,
              weight: Float(settings.appearanceWeight), excludesSelf: settings.excludesSelf,
              logits: logits.start + offset, scratch: latticeScratch, work: work.withoutProgress)
          }
          description.pass.logits = UnsafePointer(logits.start)
        }
        free = received
        received = next
        work.report(Double(iteration + 1) / Double(settings.iterations + 1))
      }
    }
    let voxelCount = size.voxelCount
    var labels = try [UInt8](checkedRepeating: 0, count: voxelCount)
    var marginals = try [Float](
      checkedRepeating: 0, count: wantsMarginals ? unary.classCount * voxelCount : 0)
    try labels.withUnsafeMutableBufferPointer { labels throws(Cancelled) in
      try marginals.withUnsafeMutableBufferPointer { marginals throws(Cancelled) in
        description.pass.labels = labels.baseAddress
        description.pass.marginals = wantsMarginals ? marginals.baseAddress : nil
        description.pass.marginal_stride = voxelCount
        try voxels.run(description, from: received, to: nil, work: work, Self.update)
      }
    }
    work.report(1)
    return MeanFieldResult(labels: labels, marginals: wantsMarginals ? marginals : nil)
  }

  /// Grids of zeros to write: the `free` ones, new ones, or the smoothness grid that is read.
  private func grids(
    after received: KernelGrids?, free: KernelGrids?, _ appearance: GridShape?, _ smoothness: GridShape?,
    _ work: WorkContext
  ) throws(Cancelled) -> KernelGrids {
    func grid(_ free: KernelGrid?, _ shape: GridShape?) throws(Cancelled) -> KernelGrid? {
      if let free { return free }
      guard let shape else { return nil }
      return try KernelGrid(shape)
    }
    // New cells are 0 already.
    try free?.appearance?.clear(work)
    var own = received?.smoothness
    if let grid = own, grid.isOwnPerVoxel {
      grid.clearMargins()
    } else {
      try free?.smoothness?.clear(work)
      own = try grid(free?.smoothness, smoothness)
    }
    return KernelGrids(appearance: try grid(free?.appearance, appearance), smoothness: own)
  }

  private static let update:
    @Sendable (dense_crf_kernels, inout dense_crf_pass, Int, Range<Int>, UnsafeMutablePointer<Float>) -> Void =
      {
        kernels, pass, plane, rows, scratch in
        kernels.update_rows(&pass, plane, rows.lowerBound, rows.upperBound, scratch)
      }

  private func filter(_ grids: KernelGrids, _ work: WorkContext) throws(Cancelled) {
    let filter = GridFilter(level: level)
    if let grid = grids.appearance, let cells {
      try filter.appearance(grid, cells.voxels.range, channels: channels, work: work)
    }
    if let grid = grids.smoothness { try filter.smoothness(grid, channels: channels, work: work) }
  }

  /// The description that all passes have in common.
  private func description(_ unary: Unary, _ differences: AlignedStorage<Float>?) -> GridPass.Description {
    var description = GridPass.Description(
      settings, size: size, channels: channels, appearance: cells, smoothness: smoothness)
    description.pass.logits = UnsafePointer(unary.logits.start)
    description.pass.logit_stride = unary.stride
    description.pass.differences = differences?.start
    description.pass.excludes_self = settings.excludesSelf ? 1 : 0
    return description
  }
}
