import CKernels
import Foundation
import TestSupport
import Testing
import Work

/// Every loop of dense_crf.h against its definition, at every instruction set.
@Suite("CRF kernels") struct KernelTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    var count: Int
    var step: Int
    var ranks: Int
    var testDescription: String { "\(count) voxels, \(step) per cell, \(ranks) features" }
  }
  static let shapes = [
    Shape(count: 1, step: 1, ranks: 16), Shape(count: 7, step: 1, ranks: 32),
    Shape(count: 33, step: 2, ranks: 16),
    Shape(count: 40, step: 2, ranks: 48), Shape(count: 16, step: 3, ranks: 16),
    Shape(count: 37, step: 4, ranks: 16),
    Shape(count: 64, step: 4, ranks: 32), Shape(count: 61, step: 4, ranks: 48),
    Shape(count: 50, step: 5, ranks: 16),
    Shape(count: 29, step: 8, ranks: 32), Shape(count: 3, step: 8, ranks: 16),
  ]

  /// A row with random features, codes and weights, and the memory behind it.
  struct Row {
    var codes: [UInt16]
    var features: [Float]
    var offsets: [Int32]
    var weights: [[Float]]
    var values: [Float]
    var factors: [Float]
    let shape: Shape
    let cells: Int

    init(_ shape: Shape) {
      var random = SplitMix64(seed: 3)
      self.shape = shape
      let padded = shape.count + 32
      cells = (shape.count + shape.step - 1) / shape.step + 2
      codes = (0..<padded).map { _ in UInt16.random(in: 0..<50, using: &random) }
      features = random.floats(50 * shape.ranks)
      offsets = (0..<padded).map { $0 < shape.count ? Int32($0 / shape.step * shape.ranks) : 0 }
      weights = (0..<3).map { _ in
        random.floats(padded).enumerated().map { $0.offset < shape.count ? $0.element : 0 }
      }
      values = random.floats(padded)
      factors = random.floats(padded)
    }

    func withRow(_ body: (inout dense_crf_row) -> Void) {
      codes.withUnsafeBufferPointer { codes in
        features.withUnsafeBufferPointer { features in
          offsets.withUnsafeBufferPointer { offsets in
            weights[0].withUnsafeBufferPointer { w0 in
              weights[1].withUnsafeBufferPointer { w1 in
                weights[2].withUnsafeBufferPointer { w2 in
                  var row = dense_crf_row(
                    codes: codes.baseAddress, features: features.baseAddress, ranks: shape.ranks,
                    count: shape.count, step: shape.step, cells: cells, cell_offsets: offsets.baseAddress,
                    weights: (w0.baseAddress, w1.baseAddress, w2.baseAddress))
                  body(&row)
                }
              }
            }
          }
        }
      }
    }
  }

  private func forEachLevel(_ body: (dense_crf_kernels) -> Void) {
    for level in MeanFieldTests.levels { body(dense_crf_kernels_for(level)!.pointee) }
  }

  @Test("slicing interpolates cells and takes the dot product with the features", arguments: shapes)
  func slice(shape: Shape) {
    let input = Row(shape)
    var random = SplitMix64(seed: 4)
    let cells = random.floats((input.cells + 18) * shape.ranks)
    let expected = (0..<shape.count).map { x in
      (0..<shape.ranks).reduce(Float(0)) { sum, r in
        let cell = (0..<3).reduce(Float(0)) {
          $0 + input.weights[$1][x] * cells[(x / shape.step + $1) * shape.ranks + r]
        }
        return sum + cell * input.features[Int(input.codes[x]) * shape.ranks + r]
      }
    }
    forEachLevel { kernels in
      var found = [Float](repeating: 0, count: shape.count + 16)
      input.withRow { kernels.slice_row(&found, cells, &$0) }
      #expect(largestDifference(Array(found[..<shape.count]), expected) < 1e-4)
    }
  }

  @Test("splatting is the adjoint of slicing", arguments: shapes)
  func splat(shape: Shape) {
    let input = Row(shape)
    var expected = [Float](repeating: 0, count: input.cells * shape.ranks)
    for x in 0..<shape.count {
      for k in 0..<3 {
        for r in 0..<shape.ranks {
          expected[(x / shape.step + k) * shape.ranks + r] +=
            input.values[x] * input.factors[x] * input.weights[k][x]
            * input.features[Int(input.codes[x]) * shape.ranks + r]
        }
      }
    }
    forEachLevel { kernels in
      var found = [Float](repeating: .nan, count: expected.count)
      var scratch = [Float](repeating: .nan, count: 3 * (shape.count + 64))
      input.withRow { kernels.splat_row(&found, input.values, input.factors, &scratch, &$0) }
      #expect(largestDifference(found, expected) < 1e-4)
    }
  }

  @Test("filters convolve and end at the borders", arguments: [(1, 3), (5, 2), (9, 0), (12, 20)])
  func filter(count: Int, radius: Int) {
    var random = SplitMix64(seed: 5)
    let inner = 32
    let input = random.floats(count * inner)
    let taps = random.floats(radius + 1)
    func expected(_ k: Int, _ i: Int) -> Float {
      var sum: Float = 0
      for m in max(0, k - radius)...min(count - 1, k + radius) {
        sum += taps[abs(m - k)] * input[m * inner + i]
      }
      return sum
    }
    let whole = (0..<count).flatMap { k in (0..<inner).map { expected(k, $0) } }
    forEachLevel { kernels in
      var found = [Float](repeating: .nan, count: count * inner)
      kernels.filter(&found, inner, input, inner, count, inner, taps, radius)
      #expect(largestDifference(found, whole) < 1e-5)
      let margin = [Float](repeating: 0, count: radius + 16)
      let line = margin + (0..<count).map { input[$0 * inner] } + margin + margin
      var row = [Float](repeating: .nan, count: count + 16)
      line.withUnsafeBufferPointer { line in
        kernels.filter_row(&row, line.baseAddress! + margin.count, count, taps, radius)
      }
      #expect(largestDifference(Array(row[..<count]), (0..<count).map { expected($0, 0) }) < 1e-5)
    }
  }

  @Test("softmax is right from tiny to huge logits", arguments: [1, 2, 6])
  func softmax(channels: Int) {
    var random = SplitMix64(seed: 6)
    let count = 45
    let stride = 48
    let scales: [Float] = [1e-6, 0.5, 3, 20, 200]
    let logits = random.floats(channels * stride).enumerated().map { $0.element * scales[$0.offset % 5] }
    let probabilities = (0..<count).map { x in
      let values = [0.0] + (0..<channels).map { Double(logits[$0 * stride + x]) }
      let highest = values.max()!
      let powers = values.map { exp($0 - highest) }
      return powers.map { Float($0 / powers.reduce(0, +)) }
    }
    forEachLevel { kernels in
      var marginals = [Float](repeating: .nan, count: (channels + 1) * stride)
      kernels.marginals(&marginals, logits, stride, channels, count)
      var differences = [Float](repeating: .nan, count: channels * stride)
      kernels.differences(&differences, logits, stride, channels, count)
      for x in 0..<count {
        for label in 0...channels {
          #expect(abs(marginals[label * stride + x] - probabilities[x][label]) < 1e-6)
          if label > 0 {
            let expected = probabilities[x][label] - probabilities[x][0]
            #expect(abs(differences[(label - 1) * stride + x] - expected) < 1e-6)
          }
        }
      }
    }
  }

  @Test("logarithms of probabilities are accurate and nothing behind the end is touched")
  func logarithms() {
    var random = SplitMix64(seed: 7)
    let count = 301
    let shares = (0..<count).map { _ in pow(10, Float.random(in: -6...0, using: &random)) }
    let probabilities = shares.map { 1 - $0 } + shares
    forEachLevel { kernels in
      var logits = [Float](repeating: 123, count: count + 16)
      #expect(kernels.unary(&logits, count, probabilities, count, 2, 1e-5, count) == 1)
      for x in 0..<count {
        let expected = log(Double(max(shares[x], 1e-5))) - log(Double(max(1 - shares[x], 1e-5)))
        #expect(abs(Double(logits[x]) - expected) < 3e-6)
      }
      #expect(logits[count...].allSatisfy { $0 == 123 })
    }
  }

  @Test("inspection tells finite and whole values apart")
  func inspection() {
    let cases: [([Float], Int32)] = [
      ([], 3), ([1, -2, 3], 3), ([0.5], 1), ([1, .nan], 0), ([.infinity, 1], 0), ([3e9], 1),
      ([Float](repeating: 4, count: 40) + [4.25], 1), ([Float](repeating: -1024, count: 37), 3),
    ]
    forEachLevel { kernels in
      for (values, expected) in cases { #expect(kernels.inspect(values, values.count) == expected) }
    }
  }

  @Test("intensities become the nearest level of the clipped range")
  func encoding() {
    let image: [Float] =
      [-1000, -50, -49.6, -49.4, 0, 30.2, 99.6, 100, 5000] + (0..<30).map { Float($0) + 0.3 }
    let expected = image.map { UInt16((Double(min(max($0, -50), 100)) + 50).rounded()) }
    forEachLevel { kernels in
      var codes = [UInt16](repeating: 999, count: image.count + 1)
      kernels.encode(&codes, image, -50, 100, 1, image.count)
      #expect(Array(codes[..<image.count]) == expected)
      #expect(codes[image.count] == 999)
    }
  }
}
