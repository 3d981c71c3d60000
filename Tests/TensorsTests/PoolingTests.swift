import Tensors
import TestSupport
import Testing
import Work

private let cases: [(extent: Extent3, geometry: PoolingGeometry)] = [
  (Extent3(6, 8, 70), .init(kernel: Extent3(2), stride: Extent3(2))),
  (Extent3(3, 5, 9), .init(kernel: Extent3(2), stride: Extent3(2))),
  (Extent3(5, 7, 35), .init(kernel: Extent3(2), stride: Extent3(2))),
  (Extent3(5, 7, 35), .init(kernel: Extent3(2), stride: Extent3(2), roundsUp: true)),
  (Extent3(7, 8, 71), .init(kernel: Extent3(3), stride: Extent3(2), roundsUp: true)),
  (Extent3(7, 9, 67), .init(kernel: Extent3(3), stride: Extent3(2))),
  (Extent3(4, 5, 40), .init(kernel: Extent3(3, 2, 2), stride: Extent3(1))),
  (Extent3(6, 6, 60), .init(kernel: Extent3(1, 2, 3), stride: Extent3(2, 1, 3), roundsUp: true)),
  (Extent3(1, 1, 1), .init(kernel: Extent3(2), stride: Extent3(2), roundsUp: true)),
  (Extent3(7, 9, 67), .init(kernel: Extent3(3), stride: Extent3(2), padding: Padding(Extent3(1)))),
  (
    Extent3(4, 5, 40),
    .init(
      kernel: Extent3(3, 2, 4), stride: Extent3(1),
      padding: Padding(before: Extent3(2, 0, 3), after: Extent3(0, 1, 2)))
  ),
  (
    Extent3(5, 6, 39),
    .init(
      kernel: Extent3(3), stride: Extent3(2, 3, 2), padding: Padding(before: Extent3(0), after: Extent3(1)),
      roundsUp: true)
  ),
  (
    Extent3(1, 2, 3),
    .init(kernel: Extent3(4), stride: Extent3(3), padding: Padding(Extent3(2)), roundsUp: true)
  ),
]

@Suite struct PoolingTests {
  @Test("max-pooling, its argmax indices and its gradient equal the references", arguments: cases.indices)
  func everything(_ index: Int) throws {
    let (extent, geometry) = cases[index]
    var generator = SplitMix64(seed: 5)
    var input = generator.tensor([2, 3, extent.d, extent.h, extent.w])
    // Few distinct values, so that windows have ties.
    input.elements = input.elements.map { ($0 * 4).rounded() }
    let (expected, expectedArgMaxIndices) = maxPoolingReference(ReferenceTensor(input), geometry: geometry)
    let gradient = generator.tensor(expected.shape)
    let expectedGradient = maxPoolingInputGradientReference(
      ReferenceTensor(gradient), argMaxIndices: expectedArgMaxIndices, inputExtent: extent)
    let expectedReLUGradient = maxPoolingInputGradientReference(
      reluGradientReference(ReferenceTensor(gradient), output: expected),
      argMaxIndices: expectedArgMaxIndices,
      inputExtent: extent)
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let (output, argMaxIndices) = try maxPooling(input, geometry: geometry, work: work)
      #expect(output == expected.rounded, what)
      #expect(argMaxIndices == expectedArgMaxIndices, what)
      expectClose(
        try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: geometry, inputExtent: extent, work: work),
        expectedGradient,
        what)
      var reluOutput = output
      try relu(&reluOutput, work: work)
      expectClose(
        try maxPoolingInputGradient(
          gradient, argMaxIndices: argMaxIndices, geometry: geometry, reluOutput: reluOutput,
          inputExtent: extent,
          work: work),
        expectedReLUGradient, what)
    }
  }

  @Test("poolings cut into windows of planes give the same bits", arguments: cases.indices)
  func windows(_ index: Int) throws {
    let (extent, geometry) = cases[index]
    var generator = SplitMix64(seed: 7)
    let input = generator.tensor([2, 3, extent.d, extent.h, extent.w])
    try atEveryLevel { threads, what in
      for planes in [1, 3] {
        try expectSameThroughWindows(
          PreparedMaxPooling(geometry: geometry), input, planes: planes, threads: threads, what)
        try expectSameThroughWindows(
          PreparedAveragePooling(geometry: geometry, countsPadding: true), input, planes: planes,
          threads: threads, what)
      }
    }
  }

  @Test("average-pooling equals the reference, and its gradient is the adjoint", arguments: cases.indices)
  func averages(_ index: Int) throws {
    let (extent, geometry) = cases[index]
    var generator = SplitMix64(seed: 8)
    let input = generator.tensor([2, 3, extent.d, extent.h, extent.w])
    for countsPadding in [false, true] {
      let expected = averagePoolingReference(
        ReferenceTensor(input), geometry: geometry, countsPadding: countsPadding)
      let gradient = generator.tensor(expected.shape)
      // The reference is linear: element by element, its gradient is the inner product with a unit image.
      var expectedGradient = ReferenceTensor(shape: input.shape)
      for voxel in stride(from: 0, to: input.elements.count, by: max(1, input.elements.count / 97)) {
        var unit = ReferenceTensor(shape: input.shape)
        unit.elements[voxel] = 1
        expectedGradient.elements[voxel] = dot(
          averagePoolingReference(unit, geometry: geometry, countsPadding: countsPadding),
          ReferenceTensor(gradient))
      }
      try atEveryLevel { threads, what in
        let work = WorkContext(threadCount: threads)
        let pooling = PreparedAveragePooling(geometry: geometry, countsPadding: countsPadding)
        expectClose(try pooling(input, work: work), expected, what)
        var found = try averagePoolingInputGradient(
          gradient, geometry: geometry, countsPadding: countsPadding, inputExtent: extent, work: work)
        #expect(
          abs(dot(ReferenceTensor(found), ReferenceTensor(input)) - dot(expected, ReferenceTensor(gradient)))
            < 1e-3)
        for index in found.elements.indices where expectedGradient.elements[index] == 0 {
          found.elements[index] = 0
        }
        expectClose(found, expectedGradient, what)
      }
    }
  }

  @Test("NaN passes through a max-pooling")
  func notANumber() throws {
    for index in [0, 1, 5, 40, 41] {
      var input = Tensor(shape: [1, 1, 2, 2, 64], repeating: 1)
      input.elements[index] = .nan
      let output = try maxPooling(
        input, geometry: .init(kernel: Extent3(2), stride: Extent3(2)), work: WorkContext(threadCount: 1)
      ).output
      #expect(output.elements.indices.filter { output.elements[$0].isNaN } == [index / 2])
    }
  }

  @Test("the reference's gradient is the derivative of the reference")
  func finiteDifferences() {
    var generator = SplitMix64(seed: 6)
    let geometry = PoolingGeometry(kernel: Extent3(3), stride: Extent3(2), roundsUp: true)
    let input = ReferenceTensor(generator.tensor([1, 2, 4, 5, 6]))
    let (output, argMaxIndices) = maxPoolingReference(input, geometry: geometry)
    let gradient = ReferenceTensor(generator.tensor(output.shape))
    let error = differenceError(
      maxPoolingInputGradientReference(gradient, argMaxIndices: argMaxIndices, inputExtent: input.extent),
      at: input
    ) { dot(maxPoolingReference($0, geometry: geometry).output, gradient) }
    #expect(error < 1e-7)
  }
}
