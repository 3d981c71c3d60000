import Segmentation
import Testing
import Volumes
import Work

private let small = (size: GridSize(76, 64, 66), spacing: Spacing(5))

private func mean(_ values: [Float]) -> Float { values.reduce(0, +) / Float(values.count) }

private func isWhole(_ value: Float, in range: ClosedRange<Float>) -> Bool {
  value == value.rounded() && range.contains(value)
}

@Test("the same seed gives the same abdomen for any number of threads, another seed another one")
func abdomenIsReproducible() throws {
  let size = GridSize(40, 36, 20)
  let one = try CTPhantom(seed: 5).generate(
    size: size, spacing: Spacing(9), work: WorkContext(threadCount: 1))
  let two = try CTPhantom(seed: 5).generate(
    size: size, spacing: Spacing(9), work: WorkContext(threadCount: 3))
  let other = try CTPhantom(seed: 6).generate(size: size, spacing: Spacing(9), work: WorkContext())
  #expect(one.image == two.image)
  #expect(one.labels == two.labels)
  #expect(one.labels != other.labels)
}

@Test("every abdomen has its organs in their places with plausible volumes and intensities")
func abdomensArePlausible() throws {
  for seed in 0..<6 {
    let (image, labels, table) = try CTPhantom(seed: UInt64(seed))
      .generate(size: small.size, spacing: small.spacing, work: WorkContext())
    #expect(table[6]?.name == "liver")
    let statistics = try LabelComponents(ChunkedLabels(labels), work: WorkContext()).statistics
    let byLabel = Dictionary(uniqueKeysWithValues: statistics.map { ($0.label, $0) })
    let liver = try #require(byLabel[6])
    #expect((900...2900).contains(liver.millilitres), "seed \(seed): \(liver.millilitres) mL")
    // One liver: what else has its label is crumbs.
    let components = try ConnectedComponents(labels, labels: [6], work: WorkContext())
    let largest = components.components[components.largest(of: 6)!].voxelCount
    #expect(largest * 100 >= 98 * liver.voxelCount)
    let spleen = try #require(byLabel[1])
    #expect(liver.centroid.x > 20, "seed \(seed): the liver lies to the right")
    #expect(spleen.centroid.x < -40, "seed \(seed): the spleen lies to the left")
    for label: UInt16 in [2, 3, 7, 8, 9, 11] {
      #expect(byLabel[label] != nil, "seed \(seed): label \(label)")
    }
    let liverHU = mean(zip(image.voxels, labels.voxels).filter { $0.1 == 6 }.map(\.0))
    #expect((20...160).contains(liverHU), "seed \(seed): liver at \(liverHU) HU")
    #expect(image.voxels.allSatisfy { isWhole($0, in: -1024...2000) })
    #expect(image.voxels.contains { $0 > 300 })
    #expect(image.voxels.contains { $0 < -700 })
  }
}

@Test("a finer grid shows the same liver")
func spacingDoesNotChangeTheAnatomy() throws {
  let coarse = try CTPhantom(seed: 3).generate(size: small.size, spacing: small.spacing, work: WorkContext())
  let fine = try CTPhantom(seed: 3).generate(
    size: GridSize(95, 80, 82), spacing: Spacing(4), work: WorkContext())
  let volumes = try [coarse, fine].map {
    try LabelComponents(ChunkedLabels($0.labels), work: WorkContext()).statistics.first { $0.label == 6 }!
      .millilitres
  }
  let difference = abs(volumes[0] - volumes[1])
  #expect(difference < 0.03 * volumes[1])
}

@Test("a heart has one left atrium in the middle, brighter than what surrounds it")
func heartIsPlausible() throws {
  for seed in 0..<4 {
    let (image, labels, table) = try MRHeartPhantom(seed: UInt64(seed))
      .generate(size: GridSize(56, 44, 26), spacing: Spacing(2.5), work: WorkContext())
    #expect(table[1]?.name == "left atrium")
    let statistics = try LabelComponents(ChunkedLabels(labels), work: WorkContext()).statistics
    #expect(statistics.map(\.label) == [1])
    #expect((25...130).contains(statistics[0].millilitres), "seed \(seed): \(statistics[0].millilitres) mL")
    let inside = zip(image.voxels, labels.voxels).filter { $0.1 == 1 }.map(\.0)
    let all = Array(image.voxels)
    #expect(mean(inside) > 1.4 * mean(all))
    #expect(all.allSatisfy { isWhole($0, in: 0...255) })
  }
}

@Test("a cancelled phantom throws")
func cancelledPhantom() {
  let work = WorkContext()
  work.cancellation.request()
  #expect(throws: Cancelled()) {
    try CTPhantom(seed: 1).generate(size: GridSize(8, 8, 8), spacing: Spacing(30), work: work)
  }
}

/// FNV-1a over values as 64-bit integers.
private func digest(_ values: some Sequence<Int64>) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for value in values { hash = (hash ^ UInt64(bitPattern: value)) &* 0x100_0000_01B3 }
  return hash
}

@Test("seed 5 gives the voxels it has always given, on this machine as on the first")
func voxelsNeverChange() throws {
  let size = GridSize(40, 36, 20)
  let abdomen = try CTPhantom(seed: 5).generate(size: size, spacing: Spacing(9), work: WorkContext())
  let heart = try MRHeartPhantom(seed: 5).generate(size: size, spacing: Spacing(2.5), work: WorkContext())
  #expect(digest(abdomen.image.voxels.map { Int64($0) }) == 0xe29a_5204_e4d5_e79e)
  #expect(digest(abdomen.labels.voxels.map { Int64($0) }) == 0xb229_fd77_aa8e_3dd4)
  #expect(digest(heart.image.voxels.map { Int64($0) }) == 0x4573_558e_3379_057a)
  #expect(digest(heart.labels.voxels.map { Int64($0) }) == 0x0e59_0933_90bd_6e76)
}
