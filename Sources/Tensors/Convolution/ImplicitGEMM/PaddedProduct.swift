import CKernels
import Work

/// Products of step 1 over one zero-padded copy of the source, so that the rows of their column matrices are contiguous
/// in the copy and nothing is gathered.
///
/// Runs cross the ends of rows; the results of columns in the padding between rows are discarded.
struct PaddedProduct: Sendable {
  let products: [ImplicitProduct]
  let before: Extent3
  private let grids: [Extent3]
  private let after: Extent3
  private let extent: Extent3
  private let sourceExtent: Extent3

  /// The products on a destination of extents `extent`.
  ///
  /// It is nil where one of them has another step, or, with `mayDecline`, where so many results would be discarded that
  /// gathering is cheaper.
  init?(_ products: [ImplicitProduct], source: Extent3, extent: Extent3, mayDecline: Bool = true) {
    guard products.allSatisfy({ $0.step == Extent3(1) }) else { return nil }
    self.products = products
    self.extent = extent
    sourceExtent = source
    let grids = products.map { $0.grid(extent) }
    self.grids = grids
    func margin(_ axis: (ImplicitProduct) -> TapAxis, _ length: (Extent3) -> Int) -> (Int, Int) {
      var (before, last) = (0, 0)
      for (product, grid) in zip(products, grids) {
        for offset in axis(product).offsets {
          before = max(before, -Int(offset))
          last = max(last, length(grid) - 1 + Int(offset))
        }
      }
      return (before, last + 1 - length(source))
    }
    let (z, y, x) = (margin(\.axes.z, \.d), margin(\.axes.y, \.h), margin(\.axes.x, \.w))
    before = Extent3(z.0, y.0, x.0)
    after = Extent3(z.1, y.1, x.1)

    // Per row of the column matrix and vector of columns, gathering costs about as much as four rows of weights.
    let largest = Extent3(
      grids.map(\.d).max() ?? 0, grids.map(\.h).max() ?? 0, grids.map(\.w).max() ?? 0)
    let pitch = source.w + before.w + after.w
    let computed = ((largest.h - 1) * pitch + largest.w + 47) / 48 * 48
    let rows = (products[0].weights.rows + 7) / 8 * 8
    guard !mayDecline || computed * rows <= largest.h * largest.w * (rows + 32) else { return nil }
  }

  /// Consecutive products whose results are neighbours along x and are stored together.
  private var phases: Int { products.count > 1 ? products[0].spacing.w : 1 }

  /// Columns per pass over the weights: few enough for their results to stay in the second cache level.
  private func blockColumns(_ panelColumns: Int) -> Int {
    let panels = (planeColumns + panelColumns - 1) / panelColumns
    let results = products[0].weights.rows * panelColumns * max(1, phases / 4)
    return max(1, min(16, 32_768 / results, panels)) * panelColumns
  }

  /// Columns of the largest plane, padding between rows included.
  private var planeColumns: Int {
    grids.map { ($0.h - 1) * (sourceExtent.w + before.w + after.w) + $0.w }.max() ?? 0
  }

  /// Extents of a padded copy of `planes` planes of the source.
  func padded(planes: Int) -> Extent3 {
    Extent3(planes, sourceExtent.h + before.h + after.h, sourceExtent.w + before.w + after.w)
  }

  /// Floats of scratch memory where `sourcePlanes` planes are read.
  func scratchCount(sourcePlanes: Int, channels: Int, batch: Int, threadCount: Int) -> Int {
    let columns = blockColumns(Int(gemm_panel_columns(KernelLevel.current)))
    return PaddedSource.count(extent: padded(planes: sourcePlanes), channels: channels, batch: batch)
      + WorkerScratch.count(
        perWorker: phases * products[0].weights.rows * columns, threadCount: threadCount)
  }

  /// Writes the planes of `output`, which depend on the source planes `sourceRange`; see
  /// ``ImplicitProduct/runGathered(_:into:bias:activation:addsToOutput:scratch:work:)``.
  func run(
    _ input: ActivationWindow, into output: ActivationWindow, sourceRange: Range<Int>, bias: [Float],
    activation: PiecewiseLinear, addsToOutput: Bool, scratch: DisjointBuffer<Float>, work: WorkContext
  ) throws(Cancelled) {
    let source = try PaddedSource(
      input, planes: sourceRange, before: before, extent: padded(planes: sourceRange.count), memory: scratch,
      work: work)
    let level = KernelLevel.current
    let panelColumns = Int(gemm_panel_columns(level))
    let pitch = source.extent.w
    let blockColumns = blockColumns(panelColumns)
    let blocks = (planeColumns + blockColumns - 1) / blockColumns
    let groups = products[0].weights.groups
    let channelsPerGroup = input.channels / groups
    let offsets = products.map { rowOffsets(of: $0, in: source) }
    let held = products.map { $0.planes(in: output.planes) }
    let maximumPlanes = held.map(\.count).max() ?? 0
    let (phases, phaseStride) = (phases, products[0].weights.rows * blockColumns)
    let workers = WorkerScratch(
      DisjointBuffer(
        UnsafeMutableBufferPointer(
          start: scratch.start + source.count, count: scratch.count - source.count)),
      perWorker: phases * phaseStride)

    try work.forEach(count: input.batch * groups * maximumPlanes * blocks) { task, worker in
      let (part, plane) = (task / blocks / maximumPlanes, task / blocks % maximumPlanes)
      let (sample, group) = (part / groups, part % groups)
      let first = task % blocks * blockColumns
      let result = workers.start(worker)
      func columns(of grid: Extent3) -> Int {
        grid.product > 0 ? min(blockColumns, (grid.h - 1) * pitch + grid.w - first) : 0
      }
      for index in stride(from: 0, to: products.count, by: phases) where plane < held[index].count {
        let z = held[index].lowerBound + plane
        let start =
          source.memory.start + (part * channelsPerGroup * source.extent.d + z) * source.extent.h * pitch
          + first
        // The first of the phases has the most columns.
        let grid = grids[index]
        guard columns(of: grid) > 0 else { continue }
        for phase in 0..<phases where columns(of: grids[index + phase]) > 0 {
          offsets[index + phase].withUnsafeBufferPointer { offsets in
            products[index + phase].multiply(
              level: level, group: group, columns: columns(of: grids[index + phase]),
              result: result + phase * phaseStride, resultStride: blockColumns, bias: bias,
              activation: addsToOutput ? .identity : activation
            ) { rows, column, _ in
              (UnsafePointer(start + column), offsets.baseAddress! + rows.lowerBound)
            }
          }
        }
        products[index].scatter(
          level: level, result, resultStride: blockColumns, columns: columns(of: grid), first: first,
          pitch: pitch, z: z, grid: grid, to: output, sample: sample, group: group,
          activationOfSum: addsToOutput ? activation : nil, phases: phases, phaseStride: phaseStride)
      }
    }
  }

  /// Offsets of the rows of a product's column matrix in the padded source, relative to the output's voxel in the first
  /// channel of a group.
  func rowOffsets(of product: ImplicitProduct, in padded: PaddedSource) -> [Int] {
    let (axes, extent) = (product.axes, padded.extent)
    var offsets: [Int] = []
    offsets.reserveCapacity(product.weights.depth)
    for channel in 0..<padded.channels / product.weights.groups {
      for z in axes.z.offsets {
        for y in axes.y.offsets {
          for x in axes.x.offsets {
            let plane = channel * extent.d + Int(z) - padded.firstPlane
            offsets.append((plane * extent.h + Int(y) + before.h) * extent.w + Int(x) + before.w)
          }
        }
      }
    }
    // One more offset, which is never read, so that a product without taps has an address.
    return offsets + [0]
  }
}
