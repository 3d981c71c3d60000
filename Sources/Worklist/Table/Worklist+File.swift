import Foundation
import ImageFormats
import Work

extension Worklist {
  /// Reads a worklist file: comma-separated values with a first row of column names.
  ///
  /// The column `image` has the image's file, and further columns are `case`, `image2`, ..., `mask`, `mask2`, ...,
  /// `mask:NAME`, `probabilities`, and any others, which are kept as text; `series`, `segment` and `layer` are among these
  /// (``WorklistCase/series``). Paths are relative to the file's folder. A case without a name is named after its image. A file that does not exist is among the case's
  /// ``WorklistCase/missingFiles``.
  /// - Throws: ``InputError`` when the file cannot be read, a quote is not closed, a column is missing or occurs twice,
  ///   a row is longer than the first, a case has no image or two parts of one file as masks, or two cases have one
  ///   name.
  package init(file path: String) throws(InputError) { try self.init(FileSystem.read(path), file: path) }

  /// Reads the content of a worklist file, as ``init(file:)``.
  /// - Parameter path: The name of errors, from whose folder paths are relative.
  package init(_ data: Data, file path: String) throws(InputError) {
    let table: CSVTable
    do throws(CSVTable.Fault) { table = try CSVTable(data) } catch {
      throw InputError(path, "line \(error.line): \(error.problem)", expected: "comma-separated values")
    }
    self.init()
    guard let heading = table.rows.first else {
      throw InputError(path, "is empty", expected: "a first row with the columns case, image, mask")
    }
    var reader = try RowReader(heading.cells, path: path)
    columns = reader.otherColumns
    for row in table.rows.dropFirst() { cases.append(try reader.case(of: row)) }
    let ofFiles = columns.filter { name in cases.contains { reader.isFile($0.values[name] ?? "") } }
    if !ofFiles.isEmpty {
      notes.append(
        "\(counted(ofFiles.count, "column")) with files not used: \(ofFiles.joined(separator: ", ")) "
          + "(masks are in columns called mask, mask2 or mask:NAME)")
    }
  }

  /// The worklist as a file at `path`: its cases, with paths relative to the file's folder where both lie in one tree.
  ///
  /// Reading it gives the same cases.
  package func bytes(forFile path: String) -> Data {
    let relativePaths = RelativePaths(to: path)
    let imageCount = cases.map(\.images.count).max() ?? 1
    let probabilitiesCount = cases.map(\.probabilities.count).max() ?? 0
    var maskNames: [String] = []
    for name in cases.flatMap({ $0.masks.map(\.name) }) where !maskNames.contains(name) {
      maskNames.append(name)
    }
    var rows = [
      ["case"] + (0..<max(1, imageCount)).map { WorklistColumn.heading("image", at: $0) }
        + maskNames.map(WorklistColumn.heading(ofMask:))
        + (0..<probabilitiesCount).map { WorklistColumn.heading("probabilities", at: $0) } + columns
    ]
    for item in cases {
      func cell(_ paths: [String], _ index: Int) -> String {
        index < paths.count ? relativePaths.relative(paths[index]) : ""
      }
      let masks = Dictionary(item.masks.map { ($0.name, $0.path) }, uniquingKeysWith: { first, _ in first })
      var row = [item.name] + (0..<max(1, imageCount)).map { cell(item.images, $0) }
      row += maskNames.map { masks[$0].map(relativePaths.relative) ?? "" }
      row += (0..<probabilitiesCount).map { cell(item.probabilities, $0) }
      rows.append(row + columns.map { item.values[$0] ?? "" })
    }
    return CSVTable.bytes(rows)
  }
}

/// Converts rows to cases.
private struct RowReader {
  let path: String
  let columns: [WorklistColumn]
  private let folder: String
  private var lines: [String: Int] = [:]

  init(_ heading: [String], path: String) throws(InputError) {
    self.path = path
    folder = FilePath.folder(of: path)
    columns = heading.map(WorklistColumn.init(heading:))
    var known: Set<WorklistColumn.Key> = []
    for name in heading where !name.isEmpty && !known.insert(.init(heading: name)).inserted {
      throw InputError(path, "has a column twice", found: "\"\(name)\"", expected: "each once")
    }
    guard columns.contains(.image) else {
      throw InputError(
        path, "has no column image", found: heading.prefix(8).joined(separator: ", "),
        expected: "the columns case, image, mask")
    }
  }

  /// The names of the further columns; a column without a name is ignored.
  var otherColumns: [String] {
    columns.compactMap { if case .other(let name) = $0, !name.isEmpty { name } else { nil } }
  }

  mutating func `case`(of row: CSVTable.Row) throws(InputError) -> WorklistCase {
    guard row.cells.count <= columns.count || row.cells[columns.count...].allSatisfy(\.isEmpty) else {
      throw InputError(
        path, "line \(row.line) has too many cells", found: "\(row.cells.count)", expected: "\(columns.count)"
      )
    }
    var item = WorklistCase(name: "", images: [])
    for (column, cell) in zip(columns, row.cells) where !cell.isEmpty {
      switch column {
      case .name: item.name = cell
      case .image: item.images.append(path(in: cell))
      case .mask(let name): item.masks.append(.init(name: name, path: path(in: cell)))
      case .probabilities: item.probabilities.append(path(in: cell))
      case .other(let name): if !name.isEmpty { item.values[name] = cell }
      }
    }
    guard let image = item.images.first else {
      throw InputError(path, "line \(row.line) has no image", expected: "a path in the column image")
    }
    if item.name.isEmpty { item.name = FilePath.name(of: ImageName.stem(of: image)) }
    if let other = lines.updateValue(row.line, forKey: item.name) {
      throw InputError(
        path, "two cases have the name \(item.name)", found: "lines \(other) and \(row.line)",
        expected: "a name for each case")
    }
    try requireOnePartOfEachFile(item, line: row.line)
    item.missingFiles = item.files.filter { !FileSystem.exists($0) }
    return item
  }

  /// Refuses two masks that are different parts of one file, because a review names a version by its file.
  private func requireOnePartOfEachFile(_ item: WorklistCase, line: Int) throws(InputError) {
    for (position, mask) in item.masks.enumerated() {
      let isOther = { (other: WorklistCase.Mask) in
        other.path == mask.path
          && (item.segment(of: other), item.layer(of: other)) != (
            item.segment(of: mask), item.layer(of: mask)
          )
      }
      guard item.masks[..<position].contains(where: isOther) else { continue }
      throw InputError(
        path, "line \(line) has two parts of one file as masks", found: FilePath.name(of: mask.path),
        expected: "one part, and a copy of the file under another name for the other")
    }
  }

  /// Whether a cell is the path of an image file that exists.
  func isFile(_ cell: String) -> Bool {
    ImageName.stem(of: cell) != cell && FileSystem.exists(path(in: cell))
  }

  private func path(in cell: String) -> String {
    let cell = cell.hasPrefix("~/") ? FilePath.expandingTilde(cell) : cell
    return cell.hasPrefix("/") ? cell : FilePath.joined(folder, cell)
  }
}

/// Paths relative to the folder of a file.
private struct RelativePaths {
  private let folder: [Substring]
  /// Whether ".." in the folder leads to the parent in its path, which is not the case for a symbolic link.
  private let hasPlainParents: Bool

  init(to path: String) {
    let absolute = FilePath.absolute(FilePath.folder(of: path).isEmpty ? "." : FilePath.folder(of: path))
    folder = absolute.split(separator: "/")
    hasPlainParents = FileSystem.resolved(absolute) == "/" + folder.joined(separator: "/")
  }

  /// The path relative to the folder; the absolute path where both have no folder but the root in common.
  func relative(_ path: String) -> String {
    let absolute = FilePath.absolute(path)
    let parts = absolute.split(separator: "/")
    let common = zip(folder, parts).prefix { $0 == $1 }.count
    let upward = folder.count - common
    guard common < parts.count, upward == 0 || common > 0 && hasPlainParents else { return absolute }
    let relative = (Array(repeating: "..", count: upward) + parts[common...]).joined(separator: "/")
    return relative.hasPrefix("~") ? "./" + relative : relative
  }
}
