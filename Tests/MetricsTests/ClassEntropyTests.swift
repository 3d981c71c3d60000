import Foundation
import Metrics
import Testing
import Volumes
import Work

@Suite("Entropies near and inside classes")
struct ClassEntropyTests {
  private let grid = VolumeGrid(
    size: GridSize(12, 11, 10), affine: Affine(spacing: Spacing(1.5, 3, 4), origin: WorldPoint(0, 0, 0)))

  @Test("voxels within 3 mm of another class along an axis, and one voxel at least, are near the border")
  func means() throws {
    var classes = [UInt16](repeating: 0, count: grid.size.voxelCount)
    var entropies = [Float](repeating: 0, count: grid.size.voxelCount)
    for offset in classes.indices {
      let index = grid.size.index(offset: offset)
      // Two boxes that touch; the second reaches the end of the grid.
      if (2...8).contains(index.i), (2...8).contains(index.j), (1...7).contains(index.k) {
        classes[offset] = 1
      }
      if index.i >= 9, index.j >= 4, index.k >= 4 { classes[offset] = 2 }
      entropies[offset] = Float(offset % 17) / 16
    }
    var (near, inside) = ([1: [Double](), 2: []], [1: [Double](), 2: []])
    for offset in classes.indices where classes[offset] != 0 {
      let index = grid.size.index(offset: offset)
      let own = classes[offset]
      // 2 steps of 1.5 mm, 1 of 3 mm, 1 of 4 mm.
      let others = [(2, 0), (1, 1), (1, 2)].flatMap { radius, axis in
        (-radius...radius).map { step -> VoxelIndex in
          var other = index
          other[axis] += step
          return other
        }
      }
      let isNear = others.contains { grid.size.contains($0) && classes[grid.size.offset($0)] != own }
      if isNear {
        near[Int(own)]?.append(Double(entropies[offset]))
      } else {
        inside[Int(own)]?.append(Double(entropies[offset]))
      }
    }
    let found = try ClassEntropy.means(
      classes: classes, entropies: entropies, on: grid, work: WorkContext())
    #expect(found.keys.sorted() == [1, 2])
    for own in [1, 2] {
      let means = try #require(found[own])
      let (expectedNear, expectedInside) = (try #require(near[own]), try #require(inside[own]))
      #expect(!expectedInside.isEmpty)
      #expect(abs((means.nearBorder ?? -1) - expectedNear.reduce(0, +) / Double(expectedNear.count)) < 1e-9)
      #expect(abs((means.inside ?? -1) - expectedInside.reduce(0, +) / Double(expectedInside.count)) < 1e-9)
    }
  }

  @Test("a thin class has no inside, a class that fills the grid has no border, and background has no means")
  func extremes() throws {
    func means(_ label: (VoxelIndex) -> UInt16) throws -> [Int: ClassEntropy] {
      try ClassEntropy.means(
        classes: (0..<grid.size.voxelCount).map { label(grid.size.index(offset: $0)) },
        entropies: [Float](repeating: 0.25, count: grid.size.voxelCount), on: grid, work: WorkContext())
    }
    let (thin, filled, empty) = (try means { $0.k == 5 ? 3 : 0 }, try means { _ in 1 }, try means { _ in 0 })
    #expect(thin == [3: ClassEntropy(nearBorder: 0.25, inside: nil)])
    #expect(filled == [1: ClassEntropy(nearBorder: nil, inside: 0.25)])
    #expect(empty.isEmpty)
  }

  @Test("the most probable class is that of the greatest probability, of equal ones the first")
  func mostProbable() throws {
    var classes = try MostProbableClasses(count: 4)
    let values: [[Float]] = [[0.5, 0.2, 0.1, 0], [0.5, 0.3, 0.2, 0], [0, 0.5, 0.7, 1]]
    for (index, values) in values.enumerated() {
      values[..<1].withUnsafeBufferPointer { classes.add($0, class: index, from: 0) }
      values[1...].withUnsafeBufferPointer { classes.add($0, class: index, from: 1) }
    }
    #expect(classes.classes == [0, 2, 2, 2])
  }

  @Test("a cancellation stops the computation")
  func stops() throws {
    let cancellation = Cancellation()
    cancellation.request()
    #expect(throws: Cancelled.self) {
      try ClassEntropy.means(
        classes: [UInt16](repeating: 1, count: grid.size.voxelCount),
        entropies: [Float](repeating: 0, count: grid.size.voxelCount), on: grid,
        work: WorkContext(cancellation: cancellation))
    }
  }
}
