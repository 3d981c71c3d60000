import ArgumentParser
import Foundation
import ImageFormats
import Segmentation
import Volumes
import Work

/// `segdeck info`: describes a file and its defects.
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Describe a file: geometry, type, values, findings.",
    discussion: """
      Every voxel of an image's frame is read, so that findings in the data are found too. With --plan it says how a \
      model's network runs on images of that size: kernels, operations, memory.
      """)

  @Argument(help: "An image, a mask, a model file or a bundled model's name.", completion: .file())
  var file: String

  @Option(
    help: "The frame of a 4D image whose values are described, from 0.",
    transform: OptionParsing.wholeNumber)
  var frame: Int?

  @Option(help: "Describe how a model's network runs on images of XxYxZ voxels.")
  var plan: String?

  @Option(help: "Heads that the plan is for: main or all. (default: main)")
  var heads: String?

  @OptionGroup var memory: ActivationMemoryOption

  @OptionGroup var choice: ImageChoiceOptions

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var threads: WorkOptions

  func run() throws {
    let isModel = ModelLibrary.isModel(file)
    guard frame == nil || !isModel && plan == nil else {
      throw InputError("--frame", "chooses a frame of an image", found: "the model \(file)")
    }
    if let plan { return try printPlan(plan) }
    guard heads == nil, memory.megabytes == nil else {
      throw InputError(
        heads == nil ? "--memory" : "--heads", "is about how a model's network runs",
        expected: "--plan XxYxZ with it")
    }
    let model = isModel ? try ModelInfo(ModelLibrary.model(file)) : nil
    let image =
      isModel
      ? nil
      : try ImageDescription(
        image: ImageFile.open(file, options: choice.options, work: threads.context("opening")),
        frame: frame ?? 0,
        work: threads.context("reading").withoutProgress)
    guard json else { return try Console.print(model?.text ?? image?.text ?? "") }
    try model.map { try printJSON($0) } ?? printJSON(image)
  }

  private func printPlan(_ shape: String) throws {
    let size = try OptionParsing.gridSize(shape, option: "--plan")
    let model = try ModelLibrary.model(file)
    let heads = heads ?? "main"
    guard ["main", "all"].contains(heads) else {
      throw InputError("--heads", "unknown", found: heads, expected: "main or all")
    }
    let requested = heads == "all" ? Array(model.graph.heads.indices) : [0]
    let plan = try PlanInfo(
      model, size: size, heads: requested, memoryLimit: memory.bytes,
      work: threads.context("planning").withoutProgress)
    if json { try printJSON(plan) } else { try Console.print(plan.text) }
  }

  private func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder.stable(isIndented: true)
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try Console.print(json: encoder.encode(value))
  }
}

/// The description of an image by `segdeck info`.
private struct ImageDescription: Encodable {
  struct Values: Encodable {
    var smallest: Float
    var largest: Float
    var mean: Double
  }

  var file: String
  var format: String
  var voxelType: String
  var slope: Double
  var intercept: Double
  var size: [Int]
  var frameSizes: [Int]
  var spacingMm: [Double]
  var orientation: String
  var affine: [[Double]]
  /// The frame that `values` describes; both are nil where voxels are not numbers.
  var frame: Int?
  var values: Values?
  /// The labels that the file itself names, or a file beside it.
  var labels: [LabelNames.Entry]?
  /// Those of each layer, where there are several.
  var layers: [[LabelNames.Entry]]?
  var findings: [Finding]

  init(image: ImageFile, frame: Int, work: WorkContext) throws {
    file = image.path
    format = image.storage
    voxelType = image.voxelType.rawValue
    slope = image.scaling.slope
    intercept = image.scaling.intercept
    let (grid, affine) = (image.grid, image.grid.affine)
    size = [grid.size.i, grid.size.j, grid.size.k]
    frameSizes = image.frameSizes
    spacingMm = (0..<3).map { grid.spacing[$0] }
    orientation = grid.orientation.description
    self.affine = (0..<3).map { [affine.stepI[$0], affine.stepJ[$0], affine.stepK[$0], affine.origin[$0]] }
    layers = image.layers.isEmpty ? nil : image.layers.map(\.entries)
    let survey = MaskSurvey(of: image)
    let voxels = try Self.voxels(of: image, frame: frame, survey, work: work)
    if case .volume(let voxels) = voxels {
      var (smallest, largest, sum) = (Float.infinity, -Float.infinity, 0.0)
      voxels.forEachPiece { piece in
        // Copies, which stay in registers.
        var (low, high, total) = (smallest, largest, sum)
        for value in piece {
          if value < low { low = value }
          if value > high { high = value }
          total += Double(value)
        }
        (smallest, largest, sum) = (low, high, total)
      }
      self.frame = frame
      values = Values(smallest: smallest, largest: largest, mean: sum / Double(voxels.count))
    }
    findings = image.findings
    switch voxels {
    case .volume: findings += survey.findings
    case .overlapping(let finding): findings.append(finding)
    case .unreadable: break
    }
    let (names, problems) = Self.names(of: image, values == nil ? nil : survey.values)
    labels = image.layers.isEmpty ? names?.entries : nil
    findings += problems
    if !image.voxelType.isReadable {
      findings.append(Finding("voxels are \(voxelType), not one number each", repair: "they cannot be read"))
    }
  }

  /// The voxels that are described.
  private enum Voxels {
    case volume(IntensityVoxels)
    /// Segments of a segmentation that no mask can hold together.
    case overlapping(Finding)
    /// Voxels that are not numbers.
    case unreadable
  }

  /// Reads the voxels of a frame.
  private static func voxels(
    of image: ImageFile, frame: Int, _ survey: MaskSurvey, work: WorkContext
  ) throws -> Voxels {
    guard image.voxelType.isReadable else { return .unreadable }
    do {
      return .volume(try image.scalarVolume(frame: frame, surveying: survey, work: work).voxels)
    } catch let error as InputError {
      guard let finding = Finding(ofOverlap: error) else { throw error }
      return .overlapping(finding)
    }
  }

  /// The names of the image's labels, nil where it has none, and findings about them.
  ///
  /// A file of names that cannot be read is a finding.
  /// - Parameter values: Those of its voxels; nil where they are not known, or it is not a mask.
  private static func names(of image: ImageFile, _ values: Set<Int>?) -> (LabelNames?, [Finding]) {
    guard let values else { return (image.labelNames, image.labelNames.map(findings) ?? []) }
    guard let names = LabelNamesFile.read(of: image, values: values, isMask: false) else { return (nil, []) }
    let applied = names.applied(to: values)
    return (names.entries.isEmpty ? image.labelNames : applied, findings(about: applied))
  }

  private static func findings(about names: LabelNames) -> [Finding] {
    let coding = LabelCoding(of: Set(names.entries.map(\.value))) ?? .identity
    return names.notes(coding).map { note in
      let separator = note.range(of: "; ", options: .backwards) ?? note.range(of: ": ")
      return Finding(
        separator.map { String(note[..<$0.lowerBound]) } ?? note,
        repair: separator.map { String(note[$0.upperBound...]) } ?? "")
    }
  }

  /// The description as lines of a name and a value.
  var text: String {
    func number(_ value: Double) -> String { significant(value) }
    let scaling = slope == 1 && intercept == 0 ? "" : ", times \(number(slope)) plus \(number(intercept))"
    var lines = [
      ("file", file), ("format", format), ("voxels", voxelType + scaling),
      ("size", size.map(String.init).joined(separator: "x")),
    ]
    if !frameSizes.isEmpty { lines.append(("frames", frameSizes.map(String.init).joined(separator: "x"))) }
    lines += [
      ("spacing", spacingMm.map(number).joined(separator: " x ") + " mm"), ("orientation", orientation),
    ]
    for (index, row) in affine.enumerated() {
      let cells = row.map { String(format: "%12.6g", $0) }.joined()
      lines.append((index == 0 ? "affine" : "", cells))
    }
    if let values, let frame {
      let name = frameSizes.isEmpty ? "values" : "values of \(frame)"
      lines.append(
        (
          name,
          "\(number(Double(values.smallest))) to \(number(Double(values.largest))), mean \(number(values.mean))"
        ))
    }
    func names(_ entries: [LabelNames.Entry]) -> String {
      entries.map { "\($0.value) \($0.name)" }.joined(separator: ", ")
    }
    if let labels, !labels.isEmpty { lines.append(("labels", names(labels))) }
    for (number, entries) in (layers ?? []).enumerated() { lines.append(("layer \(number)", names(entries))) }
    for finding in findings { lines.append(("finding", finding.description)) }
    return lines.map { $0.0.padding(toLength: 13, withPad: " ", startingAt: 0) + $0.1.printableLine }.joined(
      separator: "\n")
  }
}
