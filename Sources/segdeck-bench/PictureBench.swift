import ArgumentParser
import Foundation
import Screen
import TerminalPictures
import Work

/// `segdeck-bench picture`: one grey picture as cells, timed and written as text with colour codes.
struct PictureBench: ParsableCommand {
  /// The colours of the terminal.
  enum Colours: String, ExpressibleByArgument, CaseIterable {
    case truecolour, indexed = "256"

    fileprivate var depth: TerminalCapabilities.ColourDepth {
      self == .truecolour ? .trueColour : .indexed256
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "picture",
    abstract: "Time the cells of a grey picture, and write them as text for comparison with other programs.")

  @Argument(help: "Greys of 8 bits without a header, row by row.", completion: .file()) var greys: String
  @Option(help: "Columns and rows of the greys, as 640x640.", transform: pair) var size: PixelsPerCell
  @Option(help: "Columns and rows of cells, as 80x40.", transform: pair) var cells = PixelsPerCell(
    columns: 80, rows: 40)
  @Option(
    help:
      "How pictures are shown: \(PictureMode.allCases.filter { !$0.isPixels }.map(\.rawValue).joined(separator: ", "))."
  )
  var pictures = PictureMode.blocks
  @Option(help: "Colours: truecolour or 256.") var colours = Colours.truecolour
  @Option(name: .shortAndLong, help: "The file for the text.", completion: .file()) var output: String
  @OptionGroup var repeats: RepeatOption
  @OptionGroup var bench: BenchOptions

  func validate() throws {
    if pictures.isPixels { throw ValidationError("--pictures \(pictures.rawValue) has no cells") }
  }

  func run() throws {
    let capabilities = TerminalCapabilities(
      colourDepth: colours.depth, showsUnicode: true, pictureMode: pictures)
    let perCell = capabilities.pixelsPerCell(.full)
    let (width, height) = (cells.columns * perCell.columns, cells.rows * perCell.rows)
    guard size.columns % width == 0, size.rows % height == 0 else {
      throw ValidationError("--size is a multiple of \(width)x\(height), not \(size.columns)x\(size.rows)")
    }
    let bytes = [UInt8](try FileSystem.read(greys))
    guard bytes.count == size.columns * size.rows else {
      throw InputError(
        greys, "has another size", found: "\(bytes.count) bytes", expected: "\(size.columns * size.rows)")
    }
    var frame = Frame(rows: cells.rows, columns: cells.columns)
    frame.draw(Picture(area: frame.bounds, image: image(bytes, width: width, height: height)))
    var encoder = pictureEncoder(for: capabilities)
    var shown: [Cell] = []
    let measurement = Measurement(repeats: repeats.count) { shown = encoder.encode(frame).cells }
    try AtomicFile.write(Data(text(shown).utf8), to: output)
    var line = JSONLine("picture")
    line.add("pictures", pictures.rawValue)
    line.add("colours", colours.rawValue)
    line.add("cells", "\(cells.columns)x\(cells.rows)")
    line.add(measurement)
    bench.print(line)
  }

  /// The picture of the greys, of which each pixel is the mean of several.
  private func image(_ greys: [UInt8], width: Int, height: Int) -> PixelBuffer {
    var image = PixelBuffer(width: width, height: height)
    let (across, down) = (size.columns / width, size.rows / height)
    for y in 0..<height {
      for x in 0..<width {
        var sum = 0
        for row in y * down..<(y + 1) * down {
          for column in x * across..<(x + 1) * across { sum += Int(greys[row * size.columns + column]) }
        }
        image[x, y] = RGB(grey: UInt8((sum + across * down / 2) / (across * down)))
      }
    }
    return image
  }

  /// The cells, a line for each row.
  private func text(_ shown: [Cell]) -> String {
    var text = ""
    for row in 0..<cells.rows {
      for cell in shown[row * cells.columns..<(row + 1) * cells.columns] {
        text += code(38, cell.style.foreground) + code(48, cell.style.background)
        text.unicodeScalars.append(cell.character)
      }
      text += "\u{1B}[0m\n"
    }
    return text
  }

  private func code(_ kind: Int, _ colour: Colour) -> String {
    guard case .rgb(let red, let green, let blue) = colour else { return "" }
    switch colours {
    case .truecolour: return "\u{1B}[\(kind);2;\(red);\(green);\(blue)m"
    case .indexed: return "\u{1B}[\(kind);5;\(Palette.index256(RGB(red, green, blue)))m"
    }
  }
}

/// Reads "80x40", columns and rows.
private func pair(_ text: String) throws -> PixelsPerCell {
  let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
  guard parts.count == 2, let columns = parts[0], let rows = parts[1], (1...8192).contains(columns),
    (1...8192).contains(rows)
  else { throw ValidationError("columns and rows are two numbers of 1 to 8192 such as 80x40, not '\(text)'") }
  return PixelsPerCell(columns: columns, rows: rows)
}
