import Testing
import Work

@Test("SplitMix64 gives the published numbers for seed 1234567")
func publishedNumbers() {
  var generator = SplitMix64(seed: 1_234_567)
  let numbers = (0..<3).map { _ in generator.next() }
  #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
}

@Test("normal numbers have mean 0 and variance 1")
func normalMoments() {
  var generator = SplitMix64(seed: 1)
  let values = (0..<20_000).map { _ in generator.normal() }
  let mean = values.reduce(0, +) / 20_000
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
  #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
}

@Test("a fork repeats itself and differs from its siblings")
func forksAreIndependent() {
  let generator = SplitMix64(seed: 5)
  var one = generator.forked(1)
  var again = generator.forked(1)
  var two = generator.forked(2)
  let first = one.next()
  #expect(again.next() == first)
  #expect(two.next() != first)
}
