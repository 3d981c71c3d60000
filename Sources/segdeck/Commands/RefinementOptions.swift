import ArgumentParser
import Foundation
import Segmentation
import Volumes
import Work

/// The CRF's options of `refine`, `evaluate`, `sweep` and records.
struct RefinementOptions: ParsableArguments {
  @Option(name: .long, help: "Weight μ1 of the appearance kernel.", transform: OptionParsing.number)
  var appearanceWeight: Double?

  @Option(name: .long, help: "Weight μ2 of the smoothness kernel.", transform: OptionParsing.number)
  var smoothnessWeight: Double?

  @Option(
    name: .long, help: "Standard deviation θα of the appearance kernel in mm, one number or one per axis.")
  var thetaAlpha: String?

  @Option(
    name: .long, help: "Contrast θβ of the appearance kernel in intensity units, one number per image as A,B."
  )
  var thetaBeta: String?

  @Option(
    name: .long, help: "Standard deviation θγ of the smoothness kernel in mm, one number or one per axis.")
  var thetaGamma: String?

  @Option(name: .long, help: "Mean-field iterations, 0 to 1000.", transform: OptionParsing.wholeNumber)
  var iterations: Int?

  @Option(name: .long, help: "Weights of the auxiliary heads, lowest first, as A,B.")
  var tau: String?

  @Option(name: .long, help: "symmetric, after, before or none.")
  var normalisation: String?

  @Flag(name: .long, help: "Exclude each voxel's message to itself, as in the paper.")
  var excludeSelf = false

  @Option(name: .long, help: "Values of the labels that may gain or lose voxels, as 1,6; by default all.")
  var onlyLabels: String?

  /// `defaults` changed by the options on the command line.
  /// - Parameters:
  ///   - labels: The labels that `--only-labels` may name by their values.
  ///   - coding: The coding of the labels.
  /// - Throws: ``InputError`` for an invalid value, or a value that is not a label.
  func settings(
    over defaults: RefinementSettings, labels: [Label], coding: LabelCoding = .identity
  ) throws(InputError) -> RefinementSettings {
    var settings = defaults
    if let appearanceWeight { settings.appearanceWeight = appearanceWeight }
    if let smoothnessWeight { settings.smoothnessWeight = smoothnessWeight }
    if let thetaAlpha {
      settings.thetaAlphaMillimetres = try OptionParsing.lengths(thetaAlpha, option: "--theta-alpha")
    }
    if let thetaBeta {
      let values = try OptionParsing.numbers(thetaBeta, option: "--theta-beta")
      guard let first = values.first else {
        throw InputError("--theta-beta", "has no number", found: thetaBeta)
      }
      settings.thetaBeta = first
      settings.furtherThetaBetas = Array(values.dropFirst())
    }
    if let thetaGamma {
      settings.thetaGammaMillimetres = try OptionParsing.lengths(thetaGamma, option: "--theta-gamma")
    }
    if let iterations { settings.iterations = iterations }
    if let tau { settings.auxiliaryHeadWeights = try OptionParsing.numbers(tau, option: "--tau") }
    if let normalisation {
      guard let mode = RefinementSettings.Normalisation(rawValue: normalisation) else {
        throw InputError(
          "--normalisation", "unknown", found: normalisation,
          expected: RefinementSettings.Normalisation.allCases.map(\.rawValue).joined(separator: ", "))
      }
      settings.normalisation = mode
    }
    if excludeSelf { settings.excludesSelf = true }
    if let onlyLabels {
      settings.changedLabels = []
      for word in onlyLabels.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmingSpaces) {
        let values = Int(word).map { value in
          // A single label that is stored as 255 is label 1, in a model and in a mask.
          [value] + (value == 1 && labels.map(\.value) == [255] ? [255] : [])
        }
        let codes = (values ?? []).compactMap { coding.code(of: $0) }
        guard let code = codes.last(where: { code in labels.contains { $0.value == code } }) else {
          throw InputError(
            "--only-labels", "is not a label there", found: "\"\(word)\"",
            expected: labels.map { "\(coding.value(of: $0.value))" }.joined(separator: ", "))
        }
        settings.changedLabels.append(code)
      }
    }
    return try settings.validated()
  }

  /// The kernel parameters that were given on the command line.
  var given: Set<KernelParameter> {
    var given: Set<KernelParameter> = []
    if appearanceWeight != nil { given.insert(.appearanceWeight) }
    if thetaAlpha != nil { given.insert(.thetaAlpha) }
    if thetaBeta != nil { given.insert(.thetaBeta) }
    if smoothnessWeight != nil { given.insert(.smoothnessWeight) }
    if thetaGamma != nil { given.insert(.thetaGamma) }
    return given
  }

  /// The options that were given, each with the arguments that give it again.
  var givenWords: [(option: String, words: [String])] {
    let values: [(String, String?)] = [
      ("--appearance-weight", appearanceWeight.map { "\($0)" }),
      ("--smoothness-weight", smoothnessWeight.map { "\($0)" }), ("--theta-alpha", thetaAlpha),
      ("--theta-beta", thetaBeta), ("--theta-gamma", thetaGamma),
      ("--iterations", iterations.map { "\($0)" }),
      ("--tau", tau), ("--normalisation", normalisation), ("--exclude-self", excludeSelf ? "" : nil),
      ("--only-labels", onlyLabels),
    ]
    return values.compactMap { option, value in value.map { (option, $0.isEmpty ? [option] : [option, $0]) } }
  }

  /// The given options that only the CRF uses, each with the arguments that give it again.
  var givenWordsForCRF: [(option: String, words: [String])] { givenWords.filter { $0.option != "--tau" } }

  /// The names of the given options that only the CRF uses.
  var givenForCRF: [String] { givenWordsForCRF.map(\.option) }

  /// The arguments that give exactly these settings.
  /// - Parameter coding: The coding of ``RefinementSettings/changedLabels``.
  static func words(_ settings: RefinementSettings, coding: LabelCoding = .identity) -> [String] {
    func lengths(_ theta: Spacing) -> String {
      theta.i == theta.j && theta.j == theta.k ? "\(theta.i)" : "\(theta.i),\(theta.j),\(theta.k)"
    }
    var words = [
      "--appearance-weight", "\(settings.appearanceWeight)", "--theta-alpha",
      lengths(settings.thetaAlphaMillimetres),
      "--theta-beta", settings.thetaBetas.map { "\($0)" }.joined(separator: ","), "--smoothness-weight",
      "\(settings.smoothnessWeight)",
      "--theta-gamma", lengths(settings.thetaGammaMillimetres), "--iterations", "\(settings.iterations)",
      "--normalisation", settings.normalisation.rawValue,
    ]
    if settings.excludesSelf { words.append("--exclude-self") }
    if !settings.changedLabels.isEmpty {
      words += [
        "--only-labels", settings.changedLabels.map { "\(coding.value(of: $0))" }.joined(separator: ","),
      ]
    }
    return words
  }
}
