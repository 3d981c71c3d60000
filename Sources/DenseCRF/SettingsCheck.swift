import Volumes
import Work

extension DenseCRF {
  /// Throws what is wrong with `settings`.
  func check(_ settings: RefinementSettings) throws(InputError) {
    func require(_ name: String, _ value: Double, _ isRight: (Double) -> Bool, _ expected: String)
      throws(InputError)
    {
      guard value.isFinite, isRight(value) else {
        throw InputError(name, "is unusable", found: "\(value)", expected: expected)
      }
    }
    try require("appearance weight", settings.appearanceWeight, { $0 >= 0 }, "0 or more")
    try require("smoothness weight", settings.smoothnessWeight, { $0 >= 0 }, "0 or more")
    guard settings.thetaBetas.count == images.count else {
      throw InputError(
        "theta beta", "needs one value per image", found: "\(settings.thetaBetas.count)",
        expected: "\(images.count)")
    }
    for thetaBeta in settings.thetaBetas { try require("theta beta", thetaBeta, { $0 > 0 }, "above 0") }
    for axis in 0..<3 {
      try require("theta alpha", settings.thetaAlphaMillimetres[axis], { $0 > 0 }, "above 0 mm")
      try require("theta gamma", settings.thetaGammaMillimetres[axis], { $0 > 0 }, "above 0 mm")
    }
    guard settings.iterations >= 0 else {
      throw InputError("iterations", "are unusable", found: "\(settings.iterations)", expected: "0 or more")
    }
  }
}
