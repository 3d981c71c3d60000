import CKernels
import Work

/// Products of step 1 over one source that is copied with zeros around it, so that the rows of their column
/// matrices are runs of the copy and nothing is gathered.
///
/// Runs cross the ends of rows; the columns that fall on the zeros between rows are computed in vain.
struct PaddedProduct: Sendable {
  private let products: [ImplicitProduct]
  private let grids: [Extent3]
  private let before: Extent3
  private let after: Extent3
  private let extent: Extent3
  private let sourceExtent: Extent3

  /// The products of `products` on a destination of extents `extent`, which share the source; nil where one
  /// of them has another step, or where so many columns would be computed in vain that gathering is cheaper.
  init?(_ products: [ImplicitProduct], source: Extent3, extent: Extent3) {
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

    // Per row of the column matrix and vector of columns, a gather costs about as much as four rows of weights.
    let largest = Extent3(
      grids.map(\.d).max() ?? 0, grids.map(\.h).max() ?? 0, grids.map(\.w).max() ?? 0)
    let pitch = source.w + before.w + after.w
    let computed = ((largest.h - 1) * pitch + largest.w + 47) / 48 * 48
    let rows = (products[0].weights.rows + 7) / 8 * 8
    guard computed * rows <= largest.h * largest.w * (rows + 32) else { return nil }
  }

  /// Writes the results for every sample of `source` into `destination`; see
  /// ``ImplicitProduct/runGathered(_:destination:extent:bias:rectifies:work:)``.
  func run(
    _ source: Tensor, destination: DisjointBuffer<Float>, bias: [Float], rectifies: Bool, work: WorkContext
  ) throws(Cancelled) {
    let padded = try PaddedSource(source, before: before, after: after, work: work)
    let level = KernelLevel.current
    let panelColumns = Int(gemm_panel_columns(level))
    let rows = products[0].weights.rows
    let pitch = padded.extent.w
    let planes = grids.map(\.d).max() ?? 0
    let planeColumns = grids.map { ($0.h - 1) * pitch + $0.w }.max() ?? 0
    let panels = (planeColumns + panelColumns - 1) / panelColumns
    let shared = max(1, min(16, 32_768 / (rows * panelColumns), panels))
    let blocks = (panels + shared - 1) / shared
    let blockColumns = shared * panelColumns
    let offsets = products.map { rowOffsets(of: $0, in: padded) }

    try withScratch(perWorker: rows * blockColumns, work: work) { scratch throws(Cancelled) in
      try padded.elements.withSharedBuffer { elements throws(Cancelled) in
        try work.forEach(count: source.batch * planes * blocks) { task, worker in
          let (sample, z) = (task / blocks / planes, task / blocks % planes)
          let first = task % blocks * blockColumns
          let plane = sample * padded.channels * padded.extent.d + z
          let start = elements.start + plane * padded.extent.h * pitch + first
          let result = scratch.start(worker)
          for (index, product) in products.enumerated() {
            let grid = grids[index]
            let columns = min(blockColumns, (grid.h - 1) * pitch + grid.w - first)
            guard z < grid.d, grid.h > 0, grid.w > 0, columns > 0 else { continue }
            offsets[index].withUnsafeBufferPointer { offsets in
              product.multiply(
                level: level, columns: columns, result: result, resultStride: blockColumns, bias: bias,
                rectifies: rectifies
              ) { rows, column, _ in (start + column, offsets.baseAddress! + rows.lowerBound) }
            }
            product.scatter(
              result, resultStride: blockColumns, columns: columns, first: first, pitch: pitch, z: z,
              grid: grid, to: destination.start + sample * rows * extent.product, extent: extent)
          }
        }
      }
    }
  }

  /// Where the rows of a product's column matrix start in the padded source, from its own voxel on.
  private func rowOffsets(of product: ImplicitProduct, in padded: PaddedSource) -> [Int] {
    let (axes, extent) = (product.axes, padded.extent)
    var offsets: [Int] = []
    offsets.reserveCapacity(product.weights.depth)
    for channel in 0..<padded.channels {
      for z in axes.z.offsets {
        for y in axes.y.offsets {
          for x in axes.x.offsets {
            let plane = channel * extent.d + Int(z) + before.d
            offsets.append((plane * extent.h + Int(y) + before.h) * extent.w + Int(x) + before.w)
          }
        }
      }
    }
    // One that no product reads, so that a product without taps has an address too.
    return offsets + [0]
  }
}
