import Volumes
import Work

/// The axes of an NRRD file: one to three consecutive spatial axes make the grid, all others make frames.
struct NrrdSpace {
  /// The extents of the axes before the spatial ones (components of a voxel) and of those after them (frames).
  private(set) var componentSizes: [Int] = []
  private(set) var frameSizes: [Int] = []
  private(set) var grid = VolumeGrid(size: GridSize(1, 1, 1), affine: Affine(spacing: Spacing(1)))
  private(set) var findings: [Finding] = []
  /// The step along the first axis of frames that states one; nil where none does.
  private(set) var frameStep: FrameStep?
  private let header: NrrdHeader
  private let sizes: [Int]

  /// Reads the fields that state the axes.
  /// - Throws: ``InputError`` where they contradict each other, or state no grid.
  init(_ header: NrrdHeader) throws(InputError) {
    self.header = header
    let axisCount = try header.required("dimension").integer(in: 1...16)
    let text = try header.required("sizes")
    sizes = try text.integers(axisCount, in: 1...Int.max)
    _ = try CheckedExtents.product(sizes, of: text)
    var dimension = try Self.dimension(header)
    let directions = try directions(&dimension)
    let spacings = directions == nil ? try scalars("spacings") : nil
    let axes = try spatialAxes(directions, spacings)
    try checkKinds(axes)
    frameStep = frameStep(axes, directions)
    componentSizes = Array(sizes[..<axes.lowerBound])
    frameSizes = Array(sizes[axes.upperBound...])
    let steps: [[Double]]
    var origin = [0.0, 0, 0]
    if let directions {
      let factors = try lpsFactors()
      steps = axes.map { axis in (0..<3).map { factors[$0] * (directions[axis] ?? [0, 0, 0])[$0] } }
      if let text = header.text("space origin") {
        let stated = try Self.vector(text.text[...], text, dimension: dimension)
        origin = (0..<3).map { factors[$0] * stated[$0] }
      }
    } else {
      (steps, origin) = try scalarSteps(axes, spacings)
    }
    let extents = sizes[axes] + [1, 1]
    let size = GridSize(
      extents[axes.lowerBound], extents[axes.lowerBound + 1], extents[axes.lowerBound + 2])
    let affine = Affine(lpsSteps: steps, origin: origin)
    if let text = header.text("space directions") {
      try affine.requireThreeDirections(subject: header.path, text.name)
    }
    grid = try VolumeGrid(size: size, affine: affine).validated(subject: header.path)
  }

  /// `space directions`: a vector for each axis, nil for "none"; nil where the file does not have the field.
  /// - Parameter dimension: The numbers of a vector; set to that of the first one where it is nil.
  private func directions(_ dimension: inout Int?) throws(InputError) -> [[Double]?]? {
    guard let text = header.text("space directions") else { return nil }
    var rest = text.text[...]
    var vectors: [[Double]?] = []
    while !rest.isEmpty {
      if rest.lowercased().hasPrefix("none") {
        vectors.append(nil)
        rest = rest.dropFirst("none".count)
      } else {
        guard let end = rest.firstIndex(of: ")") else { throw text.refusal("a vector for each axis") }
        let count = rest[...end].count { $0 == "," } + 1
        let vector = try Self.vector(rest[...end], text, dimension: dimension)
        dimension = dimension ?? count
        guard vector.contains(where: { $0 != 0 }) else {
          throw text.refusal("a step along each axis, or none for an axis of frames")
        }
        vectors.append(vector.prefix(count).allSatisfy(\.isNaN) ? nil : vector)
        rest = rest[rest.index(after: end)...]
      }
      rest = rest.drop { $0.isWhitespace }
    }
    guard vectors.count == sizes.count else { throw text.refusal(counted(sizes.count, "vector")) }
    return vectors
  }

  /// The count of numbers in each vector, as `space` or `space dimension` state it; nil without either.
  private static func dimension(_ header: NrrdHeader) throws(InputError) -> Int? {
    guard let text = header.text("space") else {
      return try header.text("space dimension")?.integer(in: 1...4)
    }
    let name = spaceName(text)
    return name.hasSuffix("-time") || ["rast", "last", "lpst"].contains(name) ? 4 : 3
  }

  /// The name of a space in small letters, with hyphens between its words.
  private static func spaceName(_ text: HeaderValue) -> String {
    text.text.lowercased().replacing("_", with: "-").replacing(" ", with: "-")
  }

  /// The numbers of "(1,0,0)", at least three: in a 2D space a vector has two, and in a space with time a fourth one.
  /// - Parameter dimension: How many there must be; nil where the file does not tell.
  private static func vector(
    _ words: Substring, _ text: HeaderValue, dimension: Int?
  ) throws(InputError) -> [Double] {
    let expected = "(\(["x", "y", "z", "t"].prefix(dimension ?? 3).joined(separator: ",")))"
    guard words.first == "(", words.last == ")" else { throw text.refusal(expected) }
    let parts = words.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      let word = String(part).trimmingSpaces
      return word.lowercased() == "nan" ? Double.nan : Double(stated: word)
    }
    guard numbers.count == parts.count, (1...4).contains(numbers.count),
      dimension == nil || numbers.count == dimension
    else { throw text.refusal(expected) }
    return numbers + [Double](repeating: 0, count: max(0, 3 - numbers.count))
  }

  /// The spatial axes, which must be consecutive.
  private func spatialAxes(
    _ directions: [[Double]?]?, _ spacings: [Double]?
  ) throws(InputError) -> Range<Int> {
    var isSpatial: [Bool]
    if let directions {
      isSpatial = directions.map { vector in vector.map { $0.prefix(3).contains { $0 != 0 } } ?? false }
    } else if let kinds = header.text("kinds")?.words, kinds.count == sizes.count,
      kinds.contains(where: Self.isSpatial)
    {
      isSpatial = kinds.map(Self.isSpatial)
    } else {
      // An axis without spacing is one of frames where there are more than the three of space.
      isSpatial = sizes.indices.map { axis in
        !(kind(of: axis).map(Self.isOfNumbers) ?? false)
          && (sizes.count <= 3 || spacings?[axis].isNaN != true)
      }
      if let fourth = isSpatial.indices.filter({ isSpatial[$0] }).dropFirst(3).first {
        for axis in fourth..<isSpatial.count { isSpatial[axis] = false }
      }
    }
    guard let first = isSpatial.firstIndex(of: true), let last = isSpatial.lastIndex(of: true) else {
      throw InputError(header.path, "has no spatial axis", expected: "one to three")
    }
    let axes = first..<last + 1
    if let other = axes.first(where: { !isSpatial[$0] }) {
      throw InputError(
        header.path, "axis \(other) is not spatial and lies between spatial axes",
        expected: "it before or after them")
    }
    guard axes.count <= 3 else {
      throw InputError(
        header.path, "has too many spatial axes", found: "\(axes.count)", expected: "one to three")
    }
    return axes
  }

  /// The kind of an axis in small letters; nil where it is not stated.
  private func kind(of axis: Int) -> String? {
    guard let kinds = header.text("kinds")?.words, kinds.count == sizes.count else { return nil }
    return ["???", "none"].contains(kinds[axis].lowercased()) ? nil : kinds[axis].lowercased()
  }

  /// Whether an axis of a kind lists the numbers of a voxel: "list", "3-vector", "3D-symmetric-matrix", "RGB-color".
  private static func isOfNumbers(_ kind: String) -> Bool {
    let parts = [
      "list", "vector", "matrix", "point", "normal", "gradient", "quaternion", "color", "complex", "scalar",
      "stub",
    ]
    return parts.contains { kind.hasSuffix($0) }
  }

  /// Refuses colours and complex numbers, and notes the kinds of axes whose numbers are read as frames though they
  /// belong together.
  private mutating func checkKinds(_ spatial: Range<Int>) throws(InputError) {
    let stated = header.text("kinds")?.words ?? []
    for axis in sizes.indices {
      guard let kind = kind(of: axis) else { continue }
      if kind.hasSuffix("color") || kind == "complex" {
        throw InputError(
          header.path, "holds \(kind == "complex" ? "complex numbers" : "colours"), which cannot be read",
          found: "kind \(stated[axis]) of axis \(axis)", expected: "one number for each voxel")
      }
      guard !spatial.contains(axis), sizes[axis] > 1, Self.isOfNumbers(kind), kind != "list" else { continue }
      findings.append(
        Finding(
          "the numbers along axis \(axis) are of the kind \(stated[axis])",
          repair: "each is read as a frame of its own"))
    }
  }

  /// The step along the first axis of frames that states one.
  private func frameStep(_ spatial: Range<Int>, _ directions: [[Double]?]?) -> FrameStep? {
    let others = sizes.indices.filter { !spatial.contains($0) && sizes[$0] > 1 }
    return others.lazy.compactMap { frameStep(ofAxis: $0, directions) }.first
  }

  private func frameStep(ofAxis axis: Int, _ directions: [[Double]?]?) -> FrameStep? {
    let isTime = kind(of: axis) == "time"
    // In a space with time, the fourth number of a vector is the time.
    if let vector = directions?[axis], vector.count == 4 {
      return FrameStep(vector[3], unit: quoted("space units", 3), isTime: true)
    }
    guard let spacing = (try? scalars("spacings"))??[axis] else { return nil }
    return FrameStep(spacing, unit: quoted("units", axis), isTime: isTime)
  }

  /// The text in quotation marks for an axis; empty where there is none.
  private func quoted(_ field: String, _ index: Int) -> String {
    let texts = header.text(field)?.text.matches(of: /"([^"]*)"/).map { String($0.1).trimmingSpaces } ?? []
    guard texts.indices.contains(index), texts[index] != "???" else { return "" }
    return texts[index]
  }

  private static func isSpatial(_ kind: String) -> Bool { ["domain", "space"].contains(kind.lowercased()) }

  /// Numbers for each axis, NaN where an axis has none; nil where the file has no such field.
  private func scalars(_ name: String) throws(InputError) -> [Double]? {
    guard let text = header.text(name) else { return nil }
    let words = text.words
    let numbers = words.compactMap { $0.lowercased() == "nan" ? Double.nan : Double(stated: $0) }
    guard numbers.count == words.count, numbers.count == sizes.count else {
      throw text.refusal(counted(sizes.count, "number"))
    }
    return numbers
  }

  /// The steps and the origin (LPS) of axes without directions, from spacings or from `axis mins` and `axis maxs`.
  private mutating func scalarSteps(
    _ axes: Range<Int>, _ spacings: [Double]?
  ) throws(InputError) -> (steps: [[Double]], origin: [Double]) {
    let (minima, maxima) = (try scalars("axis mins"), try scalars("axis maxs"))
    let isNode = header.text("centerings")?.words.map { $0.lowercased() == "node" }
    var steps: [[Double]] = []
    var origin = [0.0, 0, 0]
    var isKnown = true
    for (number, axis) in axes.enumerated() {
      let isCell = isNode.map { axis < $0.count ? !$0[axis] : true } ?? true
      var spacing = spacings?[axis] ?? .nan
      if spacing.isNaN, let minima, let maxima {
        spacing = (maxima[axis] - minima[axis]) / Double(max(1, sizes[axis] - (isCell ? 0 : 1)))
      }
      if spacing < 0 {
        let isStated = spacings?[axis] == spacing
        findings.append(
          Finding(
            isStated
              ? "spacings is \(significant(spacing)) along axis \(axis)"
              : "axis maxs is below axis mins along axis \(axis)",
            repair: "the spacing is read as \(significant(-spacing)) in the opposite direction"
              + (isStated ? ", as in ITK" : "")))
      }
      if spacing.isNaN || spacing == 0 { (spacing, isKnown) = (1, false) }
      steps.append((0..<3).map { $0 == number ? spacing : 0 })
      if let minimum = minima?[axis], !minimum.isNaN {
        origin[number] = minimum + (isCell ? spacing / 2 : 0)
      }
    }
    findings.append(
      Finding(
        "the directions of the axes are not stated",
        repair: "i is taken to run to the left, j to the back and k up, as in ITK"))
    if !isKnown { findings.append(Finding("spacings are missing", repair: "they are read as 1 mm")) }
    return (steps, origin)
  }
}

extension NrrdSpace {
  /// The factor of each component of a vector that converts it to LPS millimetres.
  private mutating func lpsFactors() throws(InputError) -> [Double] {
    let units = try units()
    guard let text = header.text("space") else {
      findings.append(
        Finding("the space of the directions is not stated", repair: "it is taken as LPS, as in ITK"))
      return units
    }
    let name = Self.spaceName(text)
    let spatialName = name.hasSuffix("-time") ? String(name.dropLast("-time".count)) : name
    let signs: [Double]
    switch spatialName {
    case "right-anterior-superior", "ras", "rast": signs = [-1, -1, 1]
    case "left-anterior-superior", "las", "last": signs = [1, -1, 1]
    case "left-posterior-superior", "lps", "lpst": signs = [1, 1, 1]
    case "scanner-xyz", "3d-right-handed", "3d-left-handed":
      signs = [1, 1, 1]
      findings.append(Finding("the space is \(text.text)", repair: "it is taken as LPS, as in ITK"))
    default: throw text.refusal("left-posterior-superior, right-anterior-superior or another space of NRRD")
    }
    return (0..<3).map { signs[$0] * units[$0] }
  }

  /// Millimetres in one unit of each component of a vector.
  private mutating func units() throws(InputError) -> [Double] {
    guard let text = header.text("space units") else { return [1, 1, 1] }
    let names = text.text.split(separator: "\"").map { String($0).trimmingSpaces }.filter { !$0.isEmpty }
    var scales = [1.0, 1, 1]
    for (index, name) in names.prefix(3).enumerated() {
      switch name.lowercased() {
      case "mm", "millimeter", "millimetre", "???", "none": continue
      case "m", "meter", "metre": scales[index] = 1000
      case "cm": scales[index] = 10
      case "um", "µm", "μm", "micron", "microns", "micrometer", "micrometre": scales[index] = 0.001
      default:
        findings.append(
          Finding("the unit of lengths is \"\(name)\", which is unknown", repair: "it is read as mm"))
      }
    }
    if scales != [1, 1, 1] {
      findings.append(
        Finding(
          "lengths are stated in \(text.text)",
          repair:
            "they are read as millimetres times \(scales.map { significant($0) }.joined(separator: ", "))"))
    }
    return scales
  }
}
