import DenseCRF
import Foundation
import TestSupport
import Testing
import Volumes
import Work

/// A reference mean field.
struct GoldenCase: CustomTestStringConvertible, Sendable {
  var image: String
  var classCount: Int
  var thetaBetaFraction: Double
  var weights: String
  var normalisation: String

  var testDescription: String { name }
  var name: String { "\(image)_L\(classCount)_sI\(thetaBetaFraction)_\(weights)_\(normalisation)" }

  static let tiny = [2, 3].flatMap { classCount in
    [
      (0.05, "mild", "SYM"), (0.05, "strong", "SYM"), (0.1, "mild", "SYM"), (0.1, "strong", "SYM"),
      (0.1, "mild", "AFTER"), (0.1, "mild", "BEFORE"), (0.1, "mild", "NO"), (0.1, "raw", "NO"),
    ].map {
      GoldenCase(image: "tiny", classCount: classCount, thetaBetaFraction: $0, weights: $1, normalisation: $2)
    }
  }
  static let small = [
    GoldenCase(
      image: "small", classCount: 2, thetaBetaFraction: 0.1, weights: "strong", normalisation: "SYM"),
    GoldenCase(image: "small", classCount: 3, thetaBetaFraction: 0.1, weights: "mild", normalisation: "SYM"),
    GoldenCase(
      image: "small", classCount: 2, thetaBetaFraction: 0.1, weights: "mild", normalisation: "AFTER"),
    GoldenCase(
      image: "small", classCount: 2, thetaBetaFraction: 0.1, weights: "mild", normalisation: "BEFORE"),
  ]

  var settings: RefinementSettings {
    let (appearance, smoothness) = ["strong": (5.0, 3.0), "mild": (2, 1), "raw": (0.02, 0.01)][weights]!
    let normalisations: [String: RefinementSettings.Normalisation] = [
      "SYM": .symmetric, "AFTER": .after, "BEFORE": .before, "NO": .none,
    ]
    return RefinementSettings(
      appearanceWeight: appearance, thetaAlphaMillimetres: Spacing(5), thetaBeta: thetaBetaFraction * 255,
      smoothnessWeight: smoothness, thetaGammaMillimetres: Spacing(3), iterations: 5,
      normalisation: normalisations[normalisation]!)
  }

  static func array(_ name: String) throws -> NumpyArray {
    let folder = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
    return try NumpyArray(folder.appending(path: "\(name).npy"))
  }

  func crf(work: WorkContext = WorkContext()) throws -> (DenseCRF, Unary) {
    let image = try Self.array("\(image)_L\(classCount)_img_u8")
    let size = GridSize(image.shape[2], image.shape[1], image.shape[0])
    let crf = try DenseCRF(
      image: image.floats, size: size, spacing: Spacing(1), intensityRange: 0...255, work: work)
    let probabilities = try Self.array("\(self.image)_L\(classCount)_prob_f32").floats
    return (crf, try Unary(probabilities: probabilities, classCount: classCount, size: size))
  }
}

/// The distance of marginals from reference ones.
struct Deviation {
  var largest: Float = 0
  var mean = 0.0
  var labels = 0

  init(_ result: MeanFieldResult, from reference: [Float]) throws {
    let marginals = try #require(result.marginals)
    #expect(marginals.count == reference.count)
    for (found, expected) in zip(marginals, reference) {
      largest = max(largest, abs(found - expected))
      mean += Double(abs(found - expected)) / Double(reference.count)
    }
    let count = result.labels.count
    for voxel in 0..<count {
      let best = stride(from: voxel, to: reference.count, by: count).reduce(voxel) {
        reference[$1] > reference[$0] ? $1 : $0
      }
      if Int(result.labels[voxel]) != best / count { labels += 1 }
    }
  }
}

@Suite("Reference mean fields") struct GoldenTests {
  @Test("the exact mean field equals the reference to 2e-6", arguments: GoldenCase.tiny)
  func exactMatches(golden: GoldenCase) throws {
    let (crf, unary) = try golden.crf()
    let result = try crf.refine(unary, settings: golden.settings, method: .exact, wantsMarginals: true)
    let deviation = try Deviation(result, from: try GoldenCase.array("\(golden.name)_exactQ").floats)
    #expect(deviation.largest <= 2e-6)
    #expect(deviation.labels == 0)
  }

  @Test("the fast mean field is within 0.001 of the reference on the tiny volume", arguments: GoldenCase.tiny)
  func fastMatchesTiny(golden: GoldenCase) throws {
    let (crf, unary) = try golden.crf()
    let result = try crf.refine(unary, settings: golden.settings, wantsMarginals: true)
    let deviation = try Deviation(result, from: try GoldenCase.array("\(golden.name)_exactQ").floats)
    #expect(deviation.largest <= 0.001)
    #expect(deviation.labels == 0)
  }

  @Test("the fast mean field keeps the fidelity gate on the small volumes", arguments: GoldenCase.small)
  func fastMatchesSmall(golden: GoldenCase) throws {
    let (crf, unary) = try golden.crf()
    let result = try crf.refine(unary, settings: golden.settings, wantsMarginals: true)
    let deviation = try Deviation(result, from: try GoldenCase.array("\(golden.name)_exactQ").floats)
    #expect(deviation.largest <= 0.005)
    #expect(deviation.mean <= 2e-5)
    #expect(deviation.labels <= 3)
  }
}
