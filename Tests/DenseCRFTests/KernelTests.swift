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
    var channels = 1
    var modalities = 1
    var testDescription: String {
      "\(count) voxels, \(step) per cell, \(ranks) features, \(channels) channels, \(modalities) images"
    }
  }
  static let shapes = [
    Shape(count: 1, step: 1, ranks: 16), Shape(count: 7, step: 1, ranks: 32),
    Shape(count: 33, step: 2, ranks: 16),
    Shape(count: 40, step: 2, ranks: 48), Shape(count: 16, step: 3, ranks: 16),
    Shape(count: 37, step: 4, ranks: 16),
    Shape(count: 64, step: 4, ranks: 32), Shape(count: 61, step: 4, ranks: 48),
    Shape(count: 50, step: 5, ranks: 16),
    Shape(count: 29, step: 8, ranks: 32), Shape(count: 3, step: 8, ranks: 16),
    Shape(count: 37, step: 4, ranks: 16, channels: 2), Shape(count: 21, step: 3, ranks: 32, channels: 3),
    Shape(count: 37, step: 4, ranks: 32, modalities: 2), Shape(count: 30, step: 2, ranks: 16, modalities: 2),
    Shape(count: 26, step: 4, ranks: 48, channels: 2, modalities: 3),
  ]

  /// A row with random features, codes and weights, and the memory after it.
  struct Row {
    var codes: [UInt16]
    var features: [Float]
    var blockWeights: [Float]
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
      codes = (0..<padded * shape.modalities).map { _ in UInt16.random(in: 0..<50, using: &random) }
      features = random.floats(50 * shape.ranks * shape.modalities)
      // Positions from both ends of a block mirror each other.
      var block = [Float](repeating: 0, count: 3 * shape.step)
      for position in 0..<(shape.step + 1) / 2 {
        let mirrored = shape.step - 1 - position
        let drawn = random.floats(3)
        let own = position == mirrored ? [drawn[0], drawn[1], drawn[0]] : drawn
        for cell in 0..<3 {
          block[3 * position + cell] = own[cell]
          block[3 * mirrored + cell] = own[2 - cell]
        }
      }
      blockWeights = block
      weights = (0..<3).map { cell in
        (0..<padded).map { $0 < shape.count ? block[$0 % shape.step * 3 + cell] : 0 }
      }
      values = random.floats(padded * shape.channels)
      factors = random.floats(padded)
    }

    /// Floats between the rows of two channels.
    var stride: Int { shape.count + 32 }

    /// Feature `rank` of voxel `x`.
    func feature(_ x: Int, _ rank: Int) -> Float {
      (0..<shape.modalities).reduce(1) { product, modality in
        let level = Int(codes[modality * stride + x])
        return product
          * features[modality * 50 * shape.ranks + (rank / 16 * 50 + level) * 16 + rank % 16]
      }
    }

    /// The index of feature `rank` of a cell of a channel.
    func offset(cell: Int, channel: Int, rank: Int) -> Int {
      (cell * shape.channels + channel) * shape.ranks + rank
    }

    func withRow(_ body: (inout dense_crf_row) -> Void) {
      codes.withUnsafeBufferPointer { codes in
        features.withUnsafeBufferPointer { features in
          blockWeights.withUnsafeBufferPointer { block in
            (weights[0] + weights[1] + weights[2]).withUnsafeBufferPointer { weights in
              var row = dense_crf_row()
              let codesOf = (0..<3).map { codes.baseAddress! + min($0, shape.modalities - 1) * stride }
              let featuresOf = (0..<3).map {
                features.baseAddress! + min($0, shape.modalities - 1) * 50 * shape.ranks
              }
              row.codes = (codesOf[0], codesOf[1], codesOf[2])
              row.features = (featuresOf[0], featuresOf[1], featuresOf[2])
              row.levels = (50, 50, 50)
              row.modalities = shape.modalities
              row.ranks = shape.ranks
              row.channels = shape.channels
              row.count = shape.count
              row.step = shape.step
              row.cells = cells
              row.block_weights = block.baseAddress
              row.weights = (
                weights.baseAddress, weights.baseAddress! + stride, weights.baseAddress! + 2 * stride
              )
              body(&row)
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
    let cells = random.floats((input.cells + 18) * shape.ranks * shape.channels)
    let expected = (0..<shape.channels).flatMap { channel in
      (0..<shape.count).map { x in
        (0..<shape.ranks).reduce(Float(0)) { sum, rank in
          let cell = (0..<3).reduce(Float(0)) {
            $0 + input.weights[$1][x]
              * cells[input.offset(cell: x / shape.step + $1, channel: channel, rank: rank)]
          }
          return sum + cell * input.feature(x, rank)
        }
      }
    }
    forEachLevel { kernels in
      var found = [Float](repeating: 0, count: input.stride * shape.channels)
      input.withRow { kernels.slice_row(&found, input.stride, cells, &$0) }
      let rows = (0..<shape.channels).flatMap { found[$0 * input.stride..<$0 * input.stride + shape.count] }
      #expect(largestDifference(rows, expected) < 1e-4)
    }
  }

  @Test("splatting is the adjoint of slicing", arguments: shapes, [false, true])
  func splat(shape: Shape, hasFactors: Bool) {
    let input = Row(shape)
    var expected = [Float](repeating: 0, count: input.cells * shape.ranks * shape.channels)
    for channel in 0..<shape.channels {
      for x in 0..<shape.count {
        let value = input.values[channel * input.stride + x] * (hasFactors ? input.factors[x] : 1)
        for k in 0..<3 {
          for rank in 0..<shape.ranks {
            expected[input.offset(cell: x / shape.step + k, channel: channel, rank: rank)] +=
              value * input.weights[k][x] * input.feature(x, rank)
          }
        }
      }
    }
    forEachLevel { kernels in
      var found = [Float](repeating: .nan, count: expected.count)
      var scratch = [Float](repeating: .nan, count: 3 * (shape.count + 64))
      input.withRow { row in
        input.factors.withUnsafeBufferPointer { factors in
          kernels.splat_row(
            &found, input.values, input.stride, hasFactors ? factors.baseAddress : nil, &scratch, &row)
        }
      }
      #expect(largestDifference(found, expected) < 1e-4)
    }
  }

  @Test("interpolation along an axis and its adjoint", arguments: [1, 2, 3, 4, 7])
  func combination(positions: Int) {
    var random = SplitMix64(seed: 8)
    let count = 48
    let cells = random.floats(3 * count)
    let rows = random.floats(positions * count)
    let weights = random.floats(3 * positions)
    let combined = (0..<positions * count).map { index in
      (0..<3).reduce(Float(0)) { $0 + weights[index / count * 3 + $1] * cells[$1 * count + index % count] }
    }
    let distributed = (0..<3 * count).map { index in
      (0..<positions).reduce(cells[index]) {
        $0 + weights[$1 * 3 + index / count] * rows[$1 * count + index % count]
      }
    }
    forEachLevel { kernels in
      var found = [Float](repeating: .nan, count: positions * count)
      kernels.combine(&found, count, cells, count, weights, positions, count)
      #expect(largestDifference(found, combined) < 1e-5)
      var changed = cells
      kernels.distribute(&changed, count, rows, count, weights, positions, count)
      #expect(largestDifference(changed, distributed) < 1e-5)
    }
  }

  @Test("cells are multiplied by two triangular matrices", arguments: [(16, 1), (32, 5), (48, 8)])
  func transformation(ranks: Int, count: Int) {
    var random = SplitMix64(seed: 9)
    let cells = random.floats(count * ranks)
    let upper = random.floats(ranks * ranks).enumerated().map {
      $0.offset % ranks >= $0.offset / ranks ? $0.element : 0
    }
    let lower = random.floats(ranks * ranks).enumerated().map {
      $0.offset % ranks <= $0.offset / ranks ? $0.element : 0
    }
    /// Mᵀ x.
    func product(_ matrix: [Float], _ x: [Float]) -> [Float] {
      (0..<ranks).map { column in
        (0..<ranks).reduce(Float(0)) { $0 + matrix[$1 * ranks + column] * x[$1] }
      }
    }
    let expected = (0..<count).flatMap { cell in
      product(lower, product(upper, Array(cells[cell * ranks..<(cell + 1) * ranks])))
    }
    forEachLevel { kernels in
      var found = cells
      kernels.transform(&found, upper + lower, ranks, count)
      #expect(largestDifference(found, expected) < 1e-3)
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
      kernels.differences(&differences, logits, stride, channels, 1, count)
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

  @Test("logarithms of probabilities are accurate and nothing after the end is touched")
  func logarithms() {
    var random = SplitMix64(seed: 7)
    let count = 301
    let fractions = (0..<count).map { _ in pow(10, Float.random(in: -6...0, using: &random)) }
    let probabilities = fractions.map { 1 - $0 } + fractions
    forEachLevel { kernels in
      var logits = [Float](repeating: 123, count: count + 16)
      #expect(kernels.unary(&logits, count, probabilities, count, 2, 1e-5, count) == 1)
      for x in 0..<count {
        let expected = log(Double(max(fractions[x], 1e-5))) - log(Double(max(1 - fractions[x], 1e-5)))
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
