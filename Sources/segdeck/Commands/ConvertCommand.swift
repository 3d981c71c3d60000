import ArgumentParser
import ImageFormats
import Work

/// `segdeck convert`: the same voxels on the same grid in another file.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Write an image in another format.",
    discussion: "Voxels, their type and scaling, and the grid stay as they are. OUT ends in .nii or .nii.gz.")

  @Argument(help: "The image to read.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "Write only this frame of a 4D image, counted from 0.")
  var frame: Int?

  @Flag(help: "Replace OUT if it exists.")
  var force = false

  func run() throws {
    let image = try ImageFile.open(input)
    let place = try OutputPlace(output, isForced: force, inputs: image.files)
    try image.writeCopy(to: place.path, frame: frame)
  }
}
