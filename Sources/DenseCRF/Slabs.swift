import Volumes
import Work

/// The partition of a volume's planes into slabs that can be splatted in parallel without two writing the same cell.
///
/// Slabs of even number touch no common cell, nor do those of odd number; the even slab is added
/// first to the cells between two neighbours. Sums are therefore the same for any number of threads.
struct Slabs: Sendable {
  private let planes: Int
  private let thickness: Int

  /// Slabs of `planes` planes for grids with the given axes along k.
  init(planes: Int, axes: [GaussianAxis]) {
    self.planes = planes
    // Two blocks of the larger step, which the smaller one divides.
    thickness = max(8, 2 * (axes.map(\.step).max() ?? 1))
  }

  /// Runs `body` for every slab, the even ones before the odd ones; `body` returns early when cancelled.
  func forEach(_ work: WorkContext, _ body: @Sendable (_ planes: Range<Int>, _ worker: Int) -> Void)
    throws(Cancelled)
  {
    let count = (planes + thickness - 1) / thickness
    for parity in 0..<2 {
      try work.forEach(count: (count + 1 - parity) / 2) { index, worker in
        let start = (2 * index + parity) * thickness
        body(start..<min(start + thickness, planes), worker)
      }
      try work.checkCancellation()
    }
  }
}
