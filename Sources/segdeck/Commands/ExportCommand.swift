import ArgumentParser
import Networks
import ONNX
import Segmentation
import Work

/// `segdeck export`: a model as ONNX.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the network of a model as an ONNX file.",
    discussion: """
      The input is [1, channels, z, y, x], the outputs are the logits of the heads, of opset 17. Labels, preprocessing and \
      all else that a model has are texts of the file, by which `segdeck import` makes the same model of it.
      """)

  @Argument(help: "A bundled model's name or a model file.", completion: .file())
  var model: String

  @Option(name: .shortAndLong, help: "File to write, NAME.onnx.", completion: .file())
  var output: String

  @Flag(name: .long, help: "Replace an existing file.")
  var force = false

  func run() throws {
    let outputPath = try OutputPath(output, kind: .network, isForced: force)
    let path = try ModelLibrary.path(model)
    try ModelProto(SegmentationModel(path: path).file, subject: path).write(to: outputPath.path)
  }
}
