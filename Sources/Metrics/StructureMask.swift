import Volumes
import Work

/// The voxels of a structure, inside a box that holds all of it.
struct StructureMask {
  /// Extents of the box.
  let size: GridSize
  /// 1 inside the structure, 0 outside; i fastest.
  var inside: [UInt8]

  /// Cuts the voxels with one of `values` out of a volume; everything outside `box` must have other values.
  init(_ volume: LabelVolume, values: [UInt16], box: VoxelBounds) {
    let size = box.size
    // Masks of thousands of labels have boxes that are much smaller than a table of all values.
    let belongs = values.count == 1 ? nil : membership(of: values)
    self.size = size
    inside = [UInt8](unsafeUninitializedCapacity: size.voxelCount) { inside, count in
      for k in box.lower.k...box.upper.k {
        for j in box.lower.j...box.upper.j {
          let start = volume.grid.size.offset(VoxelIndex(box.lower.i, j, k))
          for (index, offset) in (start..<start + size.i).enumerated() {
            let value = volume.voxels[offset]
            inside[count + index] = belongs.map { $0[Int(value)] } ?? (value == values[0] ? 1 : 0)
          }
          count += size.i
        }
      }
    }
  }

  init(size: GridSize, inside: [UInt8]) {
    precondition(inside.count == size.voxelCount, "\(inside.count) voxels for \(size)")
    self.size = size
    self.inside = inside
  }

  /// The border: voxels of the structure of which one of the 26 neighbours is outside it; beyond the box is outside.
  ///
  /// - Returns: 1 on the border, 0 elsewhere.
  func border(work: WorkContext) throws(Cancelled) -> [UInt8] {
    var border = try [UInt8](checkedRepeating: 0, count: inside.count)
    var rows = [UInt8](repeating: 0, count: work.threadCount * size.i)
    let size = size
    try inside.withUnsafeBufferPointer { inside throws(Cancelled) in
      let source = SharedBuffer(inside)
      try border.withUnsafeMutableBufferPointer { border throws(Cancelled) in
        let target = DisjointBuffer(border)
        try rows.withUnsafeMutableBufferPointer { rows throws(Cancelled) in
          let scratch = DisjointBuffer(rows)
          try work.withoutProgress.forEach(count: size.k) { k, worker in
            for j in 0..<size.j {
              markBorder(
                rowAt: VoxelIndex(0, j, k), size: size, source.start,
                surrounded: scratch.start + worker * size.i,
                target.start)
            }
          }
        }
      }
    }
    return border
  }
}

/// Marks the border voxels of one row; `surrounded` is scratch for a row.
private func markBorder(
  rowAt first: VoxelIndex, size: GridSize, _ inside: UnsafePointer<UInt8>,
  surrounded: UnsafeMutablePointer<UInt8>,
  _ border: UnsafeMutablePointer<UInt8>
) {
  let start = size.offset(first)
  let isFaceRow = first.k == 0 || first.k == size.k - 1 || first.j == 0 || first.j == size.j - 1
  surrounded.update(repeating: isFaceRow ? 0 : 1, count: size.i)
  if !isFaceRow {
    for (k, j) in neighbourRows {
      let row = inside + start + (k * size.j + j) * size.i
      for i in 0..<size.i { surrounded[i] &= row[i] }
    }
  }
  for i in 0..<size.i {
    let isSurrounded = i > 0 && i < size.i - 1 ? surrounded[i - 1] & surrounded[i] & surrounded[i + 1] : 0
    border[start + i] = inside[start + i] & (1 - isSurrounded)
  }
}

/// Steps (k, j) to the nine rows around and including a row.
private let neighbourRows = [
  (-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1),
]

/// 1 at each of `values`, 0 at every other label.
func membership(of values: [UInt16]) -> [UInt8] {
  var belongs = [UInt8](repeating: 0, count: 65536)
  for value in values { belongs[Int(value)] = 1 }
  return belongs
}
