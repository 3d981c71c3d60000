import Tensors
import TestSupport
import Testing
import Work

/// A padding, cropping or resizing, and what it makes of the row 1, 2, 3, 4.
struct ResamplingCase: Sendable, CustomTestStringConvertible {
  let geometry: any GridResampling
  let row: [Float]

  var testDescription: String { "\(geometry)" }

  /// Of ONNX's own node tests `test_resize_upsample_...`, or by its formulas.
  static let all: [ResamplingCase] = [
    .init(
      geometry: PaddingGeometry(.constant, value: 9, before: Extent3(0, 1, 2), after: Extent3(0, 0, 1)),
      row: [9, 9, 1, 2, 3, 4, 9]),
    .init(
      geometry: PaddingGeometry(.reflect, before: Extent3(0, 0, 3), after: Extent3(0, 0, 2)),
      row: [4, 3, 2, 1, 2, 3, 4, 3, 2]),
    .init(
      geometry: PaddingGeometry(.edge, before: Extent3(1, 0, 2), after: Extent3(0, 0, 5)),
      row: [1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4]),
    .init(geometry: CropGeometry(before: Extent3(0, 0, 1), after: Extent3(0, 0, 2)), row: [2]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(2), .linear, .halfPixel),
      row: [1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(1, 1, 2), .linear, .asymmetric),
      row: [1, 1.5, 2, 2.5, 3, 3.5, 4, 4]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(1, 1, 4), .linear, .alignCorners),
      row: (0..<16).map { 1 + Float($0) / 5 }),
    .init(
      geometry: ResizeGeometry(factor: Extent3(2), .nearest(.roundPreferFloor), .halfPixel),
      row: [1, 1, 2, 2, 3, 3, 4, 4]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(2), .nearest(.ceil), .asymmetric),
      row: [1, 2, 2, 3, 3, 4, 4, 4]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(1, 1, 2), .nearest(.roundPreferFloor), .asymmetric),
      row: [1, 1, 2, 2, 3, 3, 4, 4]),
    .init(
      geometry: ResizeGeometry(factor: Extent3(1, 1, 2), .nearest(.roundPreferCeil), .asymmetric),
      row: [1, 2, 2, 3, 3, 4, 4, 4]),
  ]
}

@Suite("Padding, cropping and resizing")
struct ResamplingTests {
  @Test("make of a row what is written down", arguments: ResamplingCase.all)
  func row(row: ResamplingCase) throws {
    let input = Tensor(
      shape: [1, 1, 2, 2, 4], elements: [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4])
    try atEveryLevel { threads, what in
      let output = try PreparedResampling(row.geometry)(input, work: WorkContext(threadCount: threads))
      // The last plane and row, which paddings of these cases copy.
      #expect(output.extent == row.geometry.output(input.extent), what)
      expectClose(
        Tensor(shape: [row.row.count], elements: Array(output.elements.suffix(row.row.count))),
        ReferenceTensor(Tensor(shape: [row.row.count], elements: row.row)), tolerance: 1e-7, what)
    }
  }

  @Test("give the same window by window, and their gradient is the adjoint", arguments: ResamplingCase.all)
  func adjoint(row: ResamplingCase) throws {
    var generator = SplitMix64(seed: 12)
    let input = generator.tensor([2, 3, 5, 6, 19])
    // Without the constant, which has no gradient.
    var geometry = row.geometry
    if var padding = geometry as? PaddingGeometry {
      padding.value = 0
      geometry = padding
    }
    try atEveryLevel { threads, what in
      let work = WorkContext(threadCount: threads)
      let operation = PreparedResampling(geometry)
      let output = try operation(input, work: work)
      for planes in [1, 3] {
        try expectSameThroughWindows(operation, input, planes: planes, threads: threads, what)
      }
      var generator = SplitMix64(seed: 13)
      let gradient = generator.tensor(output.shape)
      let found = try resamplingGradient(gradient, geometry: geometry, inputExtent: input.extent, work: work)
      #expect(found.shape == input.shape)
      let (one, other) = (
        dot(ReferenceTensor(output), ReferenceTensor(gradient)),
        dot(ReferenceTensor(input), ReferenceTensor(found))
      )
      #expect(abs(one - other) <= 1e-4, what)
    }
  }

  @Test("reflection needs voxels inside the input, and cropping some that are left")
  func tooSmall() {
    let reflect = PaddingGeometry(.reflect, before: Extent3(0, 3, 0), after: Extent3(0))
    #expect(reflect.output(Extent3(1, 3, 1)) == nil)
    #expect(reflect.output(Extent3(1, 4, 1)) == Extent3(1, 7, 1))
    let crop = CropGeometry(before: Extent3(1), after: Extent3(1, 2, 3))
    #expect(crop.output(Extent3(3, 3, 5)) == nil)
    #expect(crop.output(Extent3(3, 4, 5)) == Extent3(1))
  }
}
