import DenseCRF
import Synchronization
import TestSupport
import Testing
import Volumes
import Work

@Suite("Invalid input and cancellation of a CRF") struct RefusalTests {
  static let random = RandomCase(GridSize(6, 5, 4))

  @Test(
    "an unusable probability is named with its voxel",
    arguments: [(Float.nan, "nan"), (-0.25, "-0.25"), (.infinity, "inf")])
  func wrongProbability(value: Float, text: String) throws {
    var probabilities = Self.random.probabilities
    probabilities[120 + 1 + 6 * (2 + 5 * 3)] = value
    let error = #expect(throws: InputError.self) {
      try Unary(probabilities: probabilities, classCount: 2, size: Self.random.size)
    }
    #expect(
      error?.description
        == "probability of class 1: is wrong at voxel (1, 2, 3): found \(text), expected a finite number from 0 on"
    )
  }

  @Test("a voxel whose probabilities are all 0 is named")
  func nothingIsPossible() throws {
    var probabilities = Self.random.probabilities
    probabilities[7] = 0
    probabilities[127] = 0
    let error = #expect(throws: InputError.self) {
      try Unary(probabilities: probabilities, classCount: 2, size: Self.random.size)
    }
    #expect(error?.description == "probabilities: are all 0 at voxel (1, 1, 0)")
  }

  @Test("a foreground probability above 1 is named")
  func wrongForeground() throws {
    var foreground = [Float](repeating: 0.5, count: 120)
    foreground[6] = 1.5
    let error = #expect(throws: InputError.self) { try Unary(foreground: foreground, size: Self.random.size) }
    #expect(
      error?.description == "foreground probability: is wrong at voxel (0, 1, 0): found 1.5, expected 0 to 1")
  }

  @Test("sizes that do not fit are refused")
  func wrongSizes() throws {
    let random = Self.random
    #expect(throws: InputError.self) {
      try Unary(probabilities: random.probabilities, classCount: 3, size: random.size)
    }
    #expect(throws: InputError.self) {
      try Unary(probabilities: random.image, classCount: 1, size: random.size)
    }
    #expect(throws: InputError.self) {
      try DenseCRF(image: random.image, size: GridSize(6, 5, 5), spacing: Spacing(1))
    }
    #expect(throws: InputError.self) {
      try DenseCRF(image: random.image, size: random.size, spacing: Spacing(1, 0, 1))
    }
    let other = RandomCase(GridSize(5, 6, 4))
    #expect(throws: InputError.self) { try random.crf().refine(other.unary(), settings: random.settings) }
  }

  @Test("an intensity that is not a number is named with its voxel")
  func wrongIntensity() throws {
    var image = Self.random.image
    image[8] = .nan
    let error = #expect(throws: InputError.self) {
      try DenseCRF(image: image, size: Self.random.size, spacing: Spacing(1))
    }
    #expect(
      error?.description == "image: has no intensity at voxel (2, 1, 0): found nan, expected a finite number")
  }

  @Test("settings out of range are refused", arguments: DenseCRF.Method.allCases)
  func wrongSettings(method: DenseCRF.Method) throws {
    let changes: [(inout RefinementSettings) -> Void] = [
      { $0.thetaBeta = 0 }, { $0.thetaBeta = -.infinity }, { $0.thetaAlphaMillimetres.j = 0 },
      { $0.thetaGammaMillimetres.k = -1 }, { $0.thetaGammaMillimetres.i = .nan }, { $0.iterations = -1 },
      { $0.appearanceWeight = -1 }, { $0.smoothnessWeight = .nan }, { $0.appearanceWeight = .infinity },
    ]
    let crf = try Self.random.crf()
    let unary = try Self.random.unary()
    for change in changes {
      var settings = Self.random.settings
      change(&settings)
      #expect(throws: InputError.self) { try crf.refine(unary, settings: settings, method: method) }
    }
  }

  @Test("a cancelled refinement throws and computes nothing more", arguments: DenseCRF.Method.allCases)
  func cancellation(method: DenseCRF.Method) throws {
    let cancellation = Cancellation()
    let work = WorkContext(threadCount: 2, cancellation: cancellation) { fraction in
      if fraction > 0.3 { cancellation.request() }
    }
    let crf = try Self.random.crf()
    let unary = try Self.random.unary()
    #expect(throws: Cancelled.self) {
      try crf.refine(unary, settings: Self.random.settings, method: method, work: work)
    }
  }

  @Test("progress rises to 1", arguments: DenseCRF.Method.allCases)
  func progress(method: DenseCRF.Method) throws {
    let fractions = Mutex<[Double]>([])
    let work = WorkContext { fraction in fractions.withLock { $0.append(fraction) } }
    _ = try Self.random.crf().refine(
      Self.random.unary(), settings: Self.random.settings, method: method, work: work)
    let seen = fractions.withLock { $0 }
    #expect(seen == seen.sorted())
    #expect(seen.last == 1)
    #expect(seen.count >= 3)
  }
}
