import Volumes
import Work

/// Checks the fields of a MetaImage header: each is valid, repaired with a finding, or refused with one line.
struct MetaImageParsing {
  let header: MetaImageHeader
  var findings: [Finding] = []
  /// The header and the files with the voxels.
  private(set) var files: [String]
  private(set) var storage = ""
  /// The step along the fourth axis, in seconds as ITK writes it; nil for 1 without the comment that it is a second,
  /// because ITK writes 1 where it knows no step.
  private(set) var frameStep: FrameStep?

  init(header: MetaImageHeader) {
    self.header = header
    files = [header.path]
  }

  private var path: String { header.path }

  /// Refuses an object of MetaIO that is not an image, such as a mesh.
  func requireImage() throws(InputError) {
    guard let type = header.text("ObjectType"), type.text.lowercased() != "image" else { return }
    throw type.refusal("Image")
  }

  /// The extents of all axes, i first.
  func sizes() throws(InputError) -> [Int] {
    let axes = try header.required("NDims").integer(in: 1...4)
    let text = try header.required("DimSize")
    let sizes = try text.integers(axes, in: 1...Int.max)
    _ = try CheckedExtents.product(sizes, of: text)
    return sizes
  }

  /// The type of a component, and the number of components of a voxel.
  func voxelType(sizes: [Int]) throws(InputError) -> (VoxelType, channels: Int) {
    let text = try header.required("ElementType")
    let name = text.text.uppercased()
    let scalarName = name.hasSuffix("_ARRAY") ? String(name.dropLast("_ARRAY".count)) : name
    guard let type = MetaImageFormat.types[scalarName] else {
      throw text.refusal("MET_UCHAR, MET_SHORT, MET_FLOAT or another number")
    }
    guard let channels = header.text("ElementNumberOfChannels") else { return (type, 1) }
    let count = try channels.integer(in: 1...65535)
    _ = try CheckedExtents.product(sizes + [count], of: channels)
    return (type, count)
  }

  /// The grid of every frame.
  mutating func grid(sizes: [Int]) throws(InputError) -> VolumeGrid {
    let axes = sizes.count
    let spacing = try spacing(axes)
    let offset = try header.text("Offset")?.numbers(axes) ?? [Double](repeating: 0, count: axes)
    var matrix = (0..<axes).flatMap { row in (0..<axes).map { $0 == row ? 1.0 : 0 } }
    if let text = header.text("TransformMatrix") { matrix = try text.numbers(axes * axes) }
    if let slope = try header.text("ElementToIntensityFunctionSlope")?.number(), slope != 1 {
      findings.append(
        Finding(
          "ElementToIntensityFunctionSlope is \(significant(slope))",
          repair: "voxels are not scaled, as in ITK"))
    }
    let spatial = min(axes, 3)
    // The direction of an axis is one row of the matrix in the file.
    let steps = (0..<spatial).map { axis in
      (0..<3).map { $0 < spatial ? matrix[axis * axes + $0] * spacing[axis] : 0 }
    }
    let origin = (0..<3).map { $0 < spatial ? offset[$0] : 0 }
    let size = GridSize(sizes[0], axes > 1 ? sizes[1] : 1, axes > 2 ? sizes[2] : 1)
    let affine = Affine(lpsSteps: steps, origin: origin)
    if let text = header.text("TransformMatrix") {
      try affine.requireThreeDirections(subject: path, text.name)
    }
    return try VolumeGrid(size: size, affine: affine).validated(subject: path)
  }

  private mutating func spacing(_ axes: Int) throws(InputError) -> [Double] {
    var numbers = [Double](repeating: 1, count: axes)
    if let text = header.text("ElementSpacing") ?? header.text("ElementSize") {
      numbers = try text.numbers(axes)
    } else {
      findings.append(Finding("ElementSpacing is missing", repair: "it is read as 1 mm"))
    }
    for axis in 0..<min(axes, 3) where numbers[axis] < 0 {
      findings.append(
        Finding(
          "ElementSpacing is \(significant(numbers[axis])) along axis \(axis)",
          repair: "it is read as \(significant(-numbers[axis])) in the opposite direction, as in ITK"))
    }
    if axes == 4, abs(numbers[3]) != 1 || header.text("Comment")?.text == MetaImageFormat.secondComment {
      frameStep = FrameStep(numbers[3], unit: "s", isTime: true)
    }
    return numbers
  }

  /// A reader of the voxels, after a check that the files are large enough for them.
  mutating func voxels(
    sizes: [Int], type: VoxelType, channels: Int
  ) throws(InputError) -> any VoxelReader {
    let isText = try header.text("BinaryData")?.boolean() == false
    let isCompressed = try header.text("CompressedData")?.boolean() ?? false
    let isBigEndian = try header.text("ElementByteOrderMSB")?.boolean() ?? false
    let dataFile = try dataFile(sizes: sizes)
    if dataFile.isOther { files += dataFile.paths }
    let voxelsPerFrame = sizes.prefix(3).reduce(channels, *)
    let frameCount = sizes.dropFirst(3).reduce(1, *)
    let partBytes = voxelsPerFrame * frameCount * type.byteCount / dataFile.paths.count
    let skipped = try header.text("HeaderSize")?.integer(in: -1...1 << 40) ?? 0
    let encoding: VoxelBytes.Encoding = isCompressed ? .zlib : .raw
    var parts: [VoxelBytes] = []
    for file in dataFile.paths {
      var part = VoxelBytes(
        path: file, fileOffset: dataFile.isOther ? 0 : header.byteOffset, encoding: encoding)
      if skipped > 0 { part.fileOffset = skipped }
      if skipped == -1, !isCompressed {
        part.fileOffset = max(0, try ByteStream(path: file, .none).fileByteCount - partBytes)
      }
      parts.append(part)
    }
    storage = [
      "MetaImage" + (dataFile.paths.count > 1 ? ", \(dataFile.paths.count) files" : ""),
      isCompressed ? "zlib" : nil, isBigEndian ? "big-endian" : "little-endian",
    ].compactMap(\.self).joined(separator: ", ")
    if isText {
      storage = "MetaImage, ascii"
      guard parts.count == 1, !isCompressed else {
        throw InputError(
          path, "has voxels as text in several or in compressed files", expected: "one plain file")
      }
      let voxels = TextVoxelFile(
        path: parts[0].path, from: parts[0].fileOffset, type: type, voxelsPerFrame: voxelsPerFrame,
        frameCount: frameCount)
      try voxels.checkSize()
      return voxels
    }
    let voxels = RawVoxelFile(
      parts, type: type, isByteSwapped: isBigEndian, voxelsPerFrame: voxelsPerFrame, frameCount: frameCount)
    try voxels.checkSize()
    return voxels
  }

  /// The files with the voxels, and whether these are separate from the header.
  private func dataFile(sizes: [Int]) throws(InputError) -> (paths: [String], isOther: Bool) {
    let text = try header.required("ElementDataFile")
    let words = text.words
    guard let first = words.first else { throw text.refusal("LOCAL, LIST or the name of a file") }
    let named = NamedFiles(header: path)
    if ["LOCAL", "Local", "local"].contains(text.text) { return ([path], false) }
    if first.uppercased() == "LIST", words.count <= 2 {
      // The axes of each file: "2", or "2D" as in the format's documentation.
      let stated = words.dropFirst().first.map { $0.uppercased().hasSuffix("D") ? String($0.dropLast()) : $0 }
      let axes =
        try stated.map { axes throws(InputError) in
          try HeaderValue(axes, path: path, name: text.name).integer(in: 1...sizes.count)
        } ?? max(1, sizes.count - 1)
      let count = sizes.dropFirst(axes).reduce(1, *)
      guard header.listedFiles.count >= count else {
        throw InputError(
          path, "lists fewer files than its size needs", found: counted(header.listedFiles.count, "file"),
          expected: "\(count)")
      }
      return (
        try header.listedFiles.prefix(count).map { name throws(InputError) in try named.path(name) }, true
      )
    }
    guard first.contains("%") else { return ([try named.path(text.text)], true) }
    let count = sizes.dropFirst(max(1, sizes.count - 1)).reduce(1, *)
    let stated = words.dropFirst().joined(separator: " ")
    let numbers =
      try stated.isEmpty
      ? [] : HeaderValue(stated, path: path, name: text.name).integers(in: 0...1 << 30)
    guard numbers.count <= 3 else { throw text.refusal("a pattern with first, last and step") }
    // As in ITK, files are counted from 1, or from the first number, where the others are not stated.
    let start = numbers.first ?? 1
    let names = try named.names(
      pattern: first, from: start, to: numbers.count > 1 ? numbers[1] : start + count - 1,
      step: numbers.count > 2 ? numbers[2] : 1, expected: count)
    return (try names.map { name throws(InputError) in try named.path(name) }, true)
  }
}
