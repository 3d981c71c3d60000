import CBLAS
import Foundation

/// The system's BLAS, called from our own parallel loops and so held to one thread.
enum BLAS {
  /// Whether the library is OpenBLAS, which is fast and whose threads we can hold back; the reference BLAS has
  /// neither threads nor speed.
  static let isOptimised: Bool = {
    // Looked up at run time, because the program must link with the reference BLAS too.
    guard let symbol = dlsym(nil, "openblas_set_num_threads") else { return false }
    // SAFETY: OpenBLAS declares it as void openblas_set_num_threads(int).
    unsafeBitCast(symbol, to: (@convention(c) (CInt) -> Void).self)(1)
    return true
  }()

  /// C = A B + beta C, row-major, with A transposed where asked for.
  ///
  /// - Parameters:
  ///   - rows: Rows of C.
  ///   - columns: Columns of C.
  ///   - depth: Products per element.
  static func multiply(
    rows: Int, columns: Int, depth: Int, a: UnsafePointer<Float>, aStride: Int, transposesA: Bool,
    b: UnsafePointer<Float>, bStride: Int, beta: Float, c: UnsafeMutablePointer<Float>, cStride: Int
  ) {
    _ = isOptimised
    cblas_sgemm(
      CblasRowMajor, transposesA ? CblasTrans : CblasNoTrans, CblasNoTrans, CInt(rows), CInt(columns),
      CInt(depth), 1, a, CInt(aStride), b, CInt(bStride), beta, c, CInt(cStride))
  }
}
