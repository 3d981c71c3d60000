import Tensors
import Testing
import Work

@Test("BLAS keeps to the thread that calls it, whatever library it is")
func blasKeepsToOneThread() throws {
  let geometry = ConvolutionGeometry(kernel: Extent3(1))
  let weight = Tensor(shape: [64, 64, 1, 1, 1], repeating: 1)
  let convolution = try PreparedConvolution(
    weight: weight, geometry: geometry, method: .pointwise, work: WorkContext())
  let output = try convolution.apply(
    Tensor(shape: [1, 64, 8, 16, 16], repeating: 0.5), work: WorkContext(threadCount: 2))
  #expect(output == Tensor(shape: [1, 64, 8, 16, 16], repeating: 32))
  #expect(BLAS.threadCount == 1)
}
