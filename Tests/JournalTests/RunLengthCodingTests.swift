import Foundation
import Journal
import Testing
import Work

private func noise(_ count: Int, seed: UInt64, values: UInt64) -> [UInt16] {
  var generator = SplitMix64(seed: seed)
  return (0..<count).map { _ in UInt16(truncatingIfNeeded: generator.next() % values) }
}

/// Runs of one label in another, as a mask has them.
private func blocks(_ count: Int, length: Int, value: UInt16) -> [UInt16] {
  (0..<count).map { $0 / length % 3 == 1 ? value : 0 }
}

@Test(
  "any voxels are decoded exactly, alone and as differences",
  arguments: [
    [], [7], [UInt16](repeating: 0, count: 300), [UInt16](repeating: 65535, count: 129),
    blocks(100_000, length: 977, value: 6), noise(200_000, seed: 1, values: 65536),
    noise(5000, seed: 2, values: 2),
  ])
func voxelsComeBack(voxels: [UInt16]) {
  #expect(RunLengthCoding.decode(RunLengthCoding.encode(voxels), count: voxels.count) == voxels)
  let base = noise(voxels.count, seed: 3, values: 65536)
  #expect(
    RunLengthCoding.decode(RunLengthCoding.encode(voxels, against: base), count: voxels.count, against: base)
      == voxels)
}

@Test("a mask that differs in few voxels takes few bytes")
func differencesAreSmall() {
  let base = noise(100_000, seed: 4, values: 100)
  var changed = base
  changed[500] = 7
  changed[60_000] = 65535
  #expect(RunLengthCoding.encode(changed, against: base).count < 60)
  #expect(RunLengthCoding.encode(base).count > 50_000)
}

@Test("runs that were damaged, cut or are of another number of voxels are refused")
func damagedRuns() {
  let voxels = blocks(50_000, length: 31, value: 3)
  let data = RunLengthCoding.encode(voxels)
  #expect(RunLengthCoding.decode(data, count: voxels.count - 1) == nil)
  #expect(RunLengthCoding.decode(data, count: voxels.count + 1) == nil)
  #expect(RunLengthCoding.decode(data, count: voxels.count, against: [1, 2]) == nil)
  for count in 0..<data.count {
    #expect(RunLengthCoding.decode(data.prefix(count), count: voxels.count) == nil)
  }
  for position in 0..<data.count {
    var damaged = data
    damaged[position] ^= 0x10
    // zlib's own checksum sees it, except in bits of its header that mean nothing.
    let decoded = RunLengthCoding.decode(damaged, count: voxels.count)
    #expect(decoded == nil || decoded == voxels)
  }
}

@Test("runs are the same however the voxels are cut into pieces")
func runsOfPieces() {
  let voxels = (0..<5000).map { UInt16($0 / 700 % 3) }
  let base = (0..<5000).map { UInt16($0 / 900 % 2) }
  for length in [1, 7, 699, 700, 5000] {
    let encoder = RunLengthCoding.Encoder()
    for start in stride(from: 0, to: voxels.count, by: length) {
      let range = start..<min(start + length, voxels.count)
      encoder.add(Array(voxels[range]), against: Array(base[range]))
      encoder.add([], against: [])
    }
    #expect(encoder.finish() == RunLengthCoding.encode(voxels, against: base))
  }
}
