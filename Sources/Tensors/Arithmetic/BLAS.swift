import CBLAS
import Foundation

/// The system's BLAS, called from our own parallel loops and so held to one thread.
package enum BLAS {
  /// A library with threads, by the functions that set and tell their number.
  private struct Threads {
    let setter: UnsafeMutableRawPointer
    let getter: UnsafeMutableRawPointer

    /// The library that implements `cblas.h`, looked up at run time, because the program must link with the reference
    /// BLAS too.
    static var found: Threads? {
      let names = [
        ("openblas_set_num_threads", "openblas_get_num_threads"),
        ("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),
        ("bli_thread_set_num_threads", "bli_thread_get_num_threads"),
      ]
      for (setter, getter) in names {
        if let setter = dlsym(nil, setter), let getter = dlsym(nil, getter) {
          return Threads(setter: setter, getter: getter)
        }
      }
      return nil
    }

    var count: Int {
      get {
        // SAFETY: an int, or in BLIS an integer of 64 bits, whose lower half is the number.
        Int(CInt(truncatingIfNeeded: unsafeBitCast(getter, to: (@convention(c) () -> Int).self)()))
      }
      nonmutating set {
        // SAFETY: they take an int, or in BLIS an integer of 64 bits; an int is read from the lower half.
        unsafeBitCast(setter, to: (@convention(c) (Int) -> Void).self)(newValue)
      }
    }
  }

  /// Whether the library is OpenBLAS, MKL or BLIS: fast, and held to one thread from here on.
  ///
  /// The reference BLAS has neither threads nor speed.
  package static let isOptimised: Bool = {
    guard let threads = Threads.found else { return false }
    threads.count = 1
    return true
  }()

  /// Threads that a call may use: one, unless other code set another number since.
  package static var threadCount: Int { isOptimised ? Threads.found?.count ?? 1 : 1 }

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
