import Networks
import Tensors
import Work

extension Operator {
  /// Padding, cutting and resizing.
  static let resamplings: [String: Operator] = [
    "Pad": .ofSignal("mode", "pads", "paddings", "value") { graph, call, input throws(InputError) in
      try graph.padded(input, call)
    },
    "Slice": .ofSignal("axes", "starts", "ends") { graph, call, input throws(InputError) in
      let (starts, ends, steps, axes) = try call.slice(rank: input.axes.count)
      guard steps.allSatisfy({ $0 == 1 }) else {
        throw call.failure("its steps", found: "\(steps)", expected: "1")
      }
      var ranges: [Int: Range<Int>] = [:]
      for (index, axis) in axes.enumerated() {
        let count = input.shape[axis]
        func position(_ number: Int) -> Int { min(max(number < 0 ? number + count : number, 0), count) }
        let start = position(starts[index])
        ranges[axis] = start..<max(start, position(ends[index]))
      }
      return try graph.cut(input, ranges, call)
    },
    "Split": Operator("axis", "split", "num_outputs") { graph, call throws(InputError) in
      let input = try call.signal(0)
      let axis = try call.axis(call.integer("axis", absent: 0), rank: input.axes.count)
      let count = input.shape[axis]
      let parts = call.node.outputs.count
      let size = (count + parts - 1) / max(parts, 1)
      let sizes =
        try call.optionalIntegers("split", orInput: 1)
        ?? (0..<parts).map { min(size, max(0, count - $0 * size)) }
      guard sizes.count == parts, sizes.allSatisfy({ (1...count).contains($0) }), sizes.reduce(0, +) == count
      else {
        throw call.failure("its parts", found: "\(sizes)", expected: "\(parts) of \(count) in all")
      }
      var (first, results) = (0, [ImportedValue]())
      for size in sizes {
        results.append(.signal(try graph.cut(input, [axis: first..<first + size], call)))
        first += size
      }
      return results
    },
    "Gather": .ofSignal("axis") { graph, call, input throws(InputError) in
      let axis = try call.axis(call.integer("axis", absent: 0), rank: input.axes.count)
      let indices = try call.constant(1)
      let count = input.shape[axis]
      let numbers = try indices.integers().map { $0 < 0 ? $0 + count : $0 }
      guard let first = numbers.first, first >= 0, numbers.count <= count - first, indices.shape.count <= 1,
        numbers == Array(first..<first + numbers.count)
      else { throw call.failure("its indices are not consecutive", found: "\(numbers.prefix(8))") }
      var result = try graph.cut(input, [axis: first..<first + numbers.count], call)
      if indices.shape.isEmpty {
        result.shape.remove(at: axis)
        result.axes.remove(at: axis)
      }
      return result
    },
    "Resize": .ofSignal(
      "antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
      "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode"
    ) { graph, call, _ throws(InputError) in
      // Before version 11 the second input was the scales, and the modes were those of Upsample.
      let isOld = call.opset < 11
      try call.require("antialias", is: 0)
      let policy = try call.text("keep_aspect_ratio_policy", absent: "stretch")
      guard policy == "stretch" else { throw call.failure("its keep_aspect_ratio_policy", found: policy) }
      let scales = try call.optionalConstant(isOld ? 1 : 2)?.floats() ?? []
      return try graph.resized(
        scales: scales, sizes: scales.isEmpty ? call.optionalIntegers(3) : nil,
        coordinates: isOld
          ? "asymmetric" : call.text("coordinate_transformation_mode", absent: "half_pixel"),
        rounding: isOld ? "floor" : call.text("nearest_mode", absent: "round_prefer_floor"), call)
    },
    "Upsample": .ofSignal("mode", "scales", "height_scale", "width_scale") {
      graph, call, _ throws(InputError) in
      let stated = try call.floats("scales")
      let scales = if let stated { stated } else { try call.constant(1).floats() }
      return try graph.resized(scales: scales, sizes: nil, coordinates: "asymmetric", rounding: "floor", call)
    },
  ]
}

extension GraphImport {
  /// The elements of some ranges along axes: a crop in space, and some of the channels.
  fileprivate mutating func cut(
    _ input: Signal, _ ranges: [Int: Range<Int>], _ call: OperatorCall
  ) throws(InputError) -> Signal {
    var (before, after, channels) = ([DataAxis: Int](), [DataAxis: Int](), Range<Int>?.none)
    for (axis, range) in ranges where range != 0..<input.shape[axis] {
      guard !range.isEmpty, !input.isExpanded, let name = input.axes[axis] else {
        throw call.failure(
          "takes nothing of its axis \(axis)", found: "\(range.lowerBound) to \(range.upperBound)")
      }
      if name == .channel {
        channels = range
      } else {
        (before[name], after[name]) = (range.lowerBound, input.shape[axis] - range.upperBound)
      }
    }
    var result = input
    if let channels {
      result = result.resized(
        to: try emit(.sliceChannels(first: channels.lowerBound, count: channels.count), from: [result], call))
    }
    if !before.isEmpty {
      let geometry = CropGeometry(before: Extent3(along: before), after: Extent3(along: after))
      result = result.resized(to: try emit(.crop(geometry), from: [result], call))
    }
    return result
  }

  fileprivate mutating func padded(_ input: Signal, _ call: OperatorCall) throws(InputError) -> Signal {
    let rank = input.axes.count
    let stated = try call.integers(call.has("paddings") ? "paddings" : "pads", orInput: 1)
    let axes = try call.axes(input: 3, rank: rank) ?? Array(0..<rank)
    guard stated.count == 2 * axes.count else {
      throw call.failure("its pads", found: "\(stated)", expected: "\(2 * axes.count) numbers")
    }
    if stated.allSatisfy({ $0 == 0 }) { return input }
    guard stated.allSatisfy((-65_536...65_536).contains) else {
      throw call.failure("its pads", found: "\(stated)")
    }
    let modeName = try call.text("mode", absent: "constant")
    guard let mode = PaddingMode(rawValue: modeName) else {
      throw call.failure("its mode", found: modeName, expected: "constant, reflect or edge")
    }
    var value = try call.float("value", absent: 0)
    if let constant = try call.optionalConstant(2) { value = try constant.floats().first ?? 0 }
    var (before, after) = ([DataAxis: Int](), [DataAxis: Int]())
    for (index, axis) in axes.enumerated() {
      let pair = (stated[index], stated[axes.count + index])
      if pair == (0, 0) { continue }
      guard let name = input.axes[axis], name != .batch, !input.isExpanded else {
        throw call.failure("pads its axis \(axis)", expected: "axes in space, or zeros around the channels")
      }
      (before[name], after[name]) = pair
    }
    var result = input
    let channels = (before[.channel] ?? 0, after[.channel] ?? 0)
    if channels != (0, 0) {
      guard mode == .constant, value == 0, channels.0 >= 0, channels.1 >= 0 else {
        throw call.failure("pads the channels", found: "\(channels)", expected: "zeros")
      }
      result = try paddedChannels(result, before: channels.0, after: channels.1, call)
    }
    func extent(_ numbers: [DataAxis: Int], _ sign: Int) -> Extent3 {
      Extent3(along: numbers.mapValues { max(0, sign * $0) })
    }
    let padding = PaddingGeometry(mode, value: value, before: extent(before, 1), after: extent(after, 1))
    let crop = CropGeometry(before: extent(before, -1), after: extent(after, -1))
    var output = try plain(result, call)
    if padding.before != Extent3(0) || padding.after != Extent3(0) {
      output = try emit(.pad(padding), from: [output], call)
    }
    if crop.before != Extent3(0) || crop.after != Extent3(0) {
      output = try emit(.crop(crop), from: [output], call)
    }
    return result.resized(to: output)
  }

  /// Channels of zeros around others: a pointwise convolution by ones and zeros, which is exact.
  private mutating func paddedChannels(
    _ input: Signal, before: Int, after: Int, _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let (count, channels) = (before + input.channels + after, input.channels)
    guard count <= 4096, channels <= 4096 else { throw call.failure("pads to \(count) channels") }
    var weights = [Float](repeating: 0, count: count * channels)
    for channel in 0..<channels { weights[(before + channel) * channels + channel] = 1 }
    let output = try emit(
      .convolution(ConvolutionGeometry(kernel: Extent3(1)), outputChannels: count, hasBias: false),
      from: [input],
      tensors: [.weight: Tensor(shape: [count, channels, 1, 1, 1], elements: weights)], call)
    return input.resized(to: output)
  }

  /// - Parameters:
  ///   - scales: The factors of all axes, or of those that the attribute `axes` names; empty where `sizes` are given.
  ///   - coordinates: The name of the transformation of coordinates.
  ///   - rounding: The name of the rounding of nearest.
  fileprivate mutating func resized(
    scales: [Float], sizes: [Int]?, coordinates: String, rounding: String, _ call: OperatorCall
  ) throws(InputError) -> Signal {
    let input = try call.spatialSignal(0)
    let rank = input.axes.count
    let axes = try call.axes(input: -1, rank: rank) ?? Array(0..<rank)
    guard (sizes?.count ?? scales.count) == axes.count else {
      throw call.failure(
        "its scales or sizes", found: "\(sizes?.count ?? scales.count)", expected: "\(axes.count)")
    }
    var factors: [DataAxis: Int] = [:]
    for (index, axis) in axes.enumerated() {
      let count = input.shape[axis]
      let factor: Double =
        if let sizes { Double(sizes[index]) / Double(count) } else { Double(scales[index]) }
      guard let whole = Int(exactly: factor), (1...64).contains(whole) else {
        throw call.failure(
          "its factor along axis \(axis)", found: "\(factor)", expected: "a whole number from 1 to 64")
      }
      let name = input.axes[axis]
      guard name != .batch, name != .channel, name != nil || whole == 1 else {
        if whole == 1 { continue }
        throw call.failure("resizes its axis \(axis)", expected: "axes in space")
      }
      if let name { factors[name] = whole }
    }
    let factor = Extent3(along: factors, absent: 1)
    if factor == Extent3(1) { return input }
    let name = coordinates.split(separator: "_").enumerated().map { $0 == 0 ? String($1) : $1.capitalized }
      .joined()
    guard let transformation = ResizeCoordinates(rawValue: name) else {
      throw call.failure("its coordinate_transformation_mode", found: coordinates)
    }
    let mode = try call.text("mode", absent: "nearest")
    let interpolation: ResizeInterpolation
    switch mode {
    case "nearest":
      let name = rounding.split(separator: "_").enumerated().map { $0 == 0 ? String($1) : $1.capitalized }
        .joined()
      guard let rounding = NearestRounding(rawValue: name) else {
        throw call.failure("its nearest_mode", found: rounding)
      }
      interpolation = .nearest(rounding)
    case "linear", "bilinear", "trilinear": interpolation = .linear
    default: throw call.failure("its mode", found: mode, expected: "nearest or linear")
    }
    return input.resized(
      to: try emit(
        .resize(ResizeGeometry(factor: factor, interpolation, transformation)), from: [input], call))
  }
}

extension Signal {
  /// This arrangement of axes with the output of another layer, of other channels or extents.
  fileprivate func resized(to output: Signal) -> Signal {
    var signal = with(output)
    (signal.channels, signal.extent) = (output.channels, output.extent)
    signal.shape = zip(signal.axes, signal.shape).map { axis, count in
      axis.map { signal.count(along: $0) } ?? count
    }
    return signal
  }
}

extension Extent3 {
  /// Numbers along axes in space; `absent` along those without one.
  fileprivate init(along numbers: [DataAxis: Int], absent: Int = 0) {
    self.init(numbers[.depth] ?? absent, numbers[.height] ?? absent, numbers[.width] ?? absent)
  }
}
