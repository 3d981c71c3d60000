import Foundation
import Networks
import Tensors

/// A dense array of doubles, last dimension fastest.
struct DoubleArray {
  let shape: [Int]
  var elements: [Double]

  init(shape: [Int], elements: [Double]) {
    self.shape = shape
    self.elements = elements
  }

  /// The values of `tensor`, exactly.
  init(_ tensor: Tensor) { self.init(shape: tensor.shape, elements: tensor.elements.map(Double.init)) }

  /// The last three dimensions.
  fileprivate var extent: Extent3 { Extent3(shape[2], shape[3], shape[4]) }
}

extension OperationCase {
  /// The layer's result in training by its definition: plain loops in double precision.
  ///
  /// It shares nothing with the program but the extents of the output. Its central differences have an error of about
  /// 1e-8 of the largest one.
  func definedResult(
    _ inputs: [DoubleArray], _ parameters: [ParameterSlot.Role: DoubleArray]
  ) -> DoubleArray {
    let image = inputs[0]
    let output =
      operation.inputGrids == .secondIsOutput
      ? operation.outputExtent(image.extent, second: inputs[1].extent) : operation.outputExtent(image.extent)
    guard let output else {
      preconditionFailure("\(testDescription): the image is too small")
    }
    func window(
      _ kernel: Extent3, _ input: (_ axis: Axis, _ output: Int, _ tap: Int) -> Int?
    ) -> Window {
      Window(from: image.extent, to: output, kernel: kernel, input)
    }
    func pooling(
      _ operation: any PoolingOperation,
      _ window: (Extent3, _ input: (_ axis: Axis, _ output: Int, _ tap: Int) -> Int?) -> Window
    ) -> Window {
      let geometry = operation.geometry
      return window(geometry.kernel) { axis, output, tap in
        let before = operation.samePadding.map {
          $0.before(axis, image.extent, geometry.kernel, geometry.stride, Extent3(1))
        }
        return output * axis(geometry.stride) - (before ?? axis(geometry.padding.before)) + tap
      }
    }
    switch operation {
    case let operation as ConvolutionOperation:
      let geometry = operation.geometry
      let window = window(geometry.kernel) { axis, output, tap in
        let before = operation.samePadding.map {
          $0.before(axis, image.extent, geometry.kernel, geometry.stride, geometry.dilation)
        }
        return output * axis(geometry.stride) - (before ?? axis(geometry.padding.before))
          + tap * axis(geometry.dilation)
      }
      return window.sums(image, parameters, outputs: operation.outputChannels) { output, input, inputs in
        slice(output, of: operation.outputChannels, input, of: inputs, groups: geometry.groups)
      }
    case let operation as TransposedConvolutionOperation:
      // Input i reaches output i * stride - padding + tap.
      let geometry = operation.geometry
      let window = window(geometry.kernel) { axis, output, tap in
        let distance = output + axis(geometry.padding.before) - tap * axis(geometry.dilation)
        return distance % axis(geometry.stride) == 0 ? distance / axis(geometry.stride) : nil
      }
      let outputs = operation.outputChannels
      return window.sums(image, parameters, outputs: outputs) { output, input, inputs in
        slice(input, of: inputs, output, of: outputs, groups: geometry.groups)
      }
    case let operation as MaxPoolingOperation:
      return pooling(operation, window).maxima(image)
    case let operation as AveragePoolingOperation:
      return pooling(operation, window).means(image) { axis, output in
        // The padded input, of which a partial window at its end has a part.
        let (geometry, length) = (operation.geometry, axis(image.extent))
        let after = axis(geometry.padding.after)
        let first = output * axis(geometry.stride) - axis(geometry.padding.before)
        return operation.countsPadding ? min(axis(geometry.kernel), length + after - first) : nil
      }
    case let operation as BatchNormalisationOperation:
      return normalised(image, parameters, epsilon: Double(operation.epsilon))
    case let operation as InstanceNormalisationOperation:
      return groupNormalised(
        image, parameters, groups: image.shape[1], epsilon: Double(operation.epsilon))
    case let operation as GroupNormalisationOperation:
      return groupNormalised(
        image, parameters, groups: operation.groupCount, epsilon: Double(operation.epsilon))
    case is ReLUOperation:
      return DoubleArray(shape: image.shape, elements: image.elements.map { max($0, 0) })
    case let operation as any ActivationOperation:
      return DoubleArray(shape: image.shape, elements: image.elements.map(definition(operation.function)))
    case let operation as ParametricReLUOperation:
      guard let slopes = parameters[.weight]?.elements else {
        preconditionFailure("a parametric ReLU without slopes")
      }
      let (channels, voxels) = (image.shape[1], image.extent.product)
      return DoubleArray(
        shape: image.shape,
        elements: image.elements.enumerated().map { index, value in
          let slope = slopes[operation.sharesSlope ? 0 : index / voxels % channels]
          return value < 0 ? slope * value : value
        })
    case let operation as PadOperation:
      let geometry = operation.geometry
      return image.resampled(to: output) { axis, index in
        let (position, last) = (index - axis(geometry.before), axis(image.extent) - 1)
        switch geometry.mode {
        case .constant: return (0...last).contains(position) ? [(position, 1)] : []
        case .edge: return [(max(0, min(last, position)), 1)]
        case .reflect: return [(last - abs(last - abs(position)), 1)]
        }
      }.filled(Double(geometry.value))
    case let operation as CropOperation:
      return image.resampled(to: output) { axis, index in [(index + axis(operation.geometry.before), 1)] }
        .filled(0)
    case is CentreCropOperation:
      return image.resampled(to: output) { axis, index in
        [(index + (axis(image.extent) - axis(output)) / 2, 1)]
      }.filled(0)
    case let operation as ResizeOperation:
      return image.resampled(to: output) { axis, index in
        operation.geometry.definedTaps(index, count: axis(image.extent), resized: axis(output))
      }.filled(0)
    case let operation as ResizeToOperation:
      guard let geometry = operation.geometry as? ResizeGeometry else {
        preconditionFailure("resizing by something else")
      }
      return image.resampled(to: output) { axis, index in
        geometry.definedTaps(index, count: axis(image.extent), resized: axis(output))
      }.filled(0)
    case let operation as SliceChannelsOperation:
      let voxels = image.extent.product
      return DoubleArray(
        shape: [image.shape[0], operation.count] + image.shape.dropFirst(2),
        elements: image.elements.indices.filter {
          (operation.first..<operation.first + operation.count).contains($0 / voxels % image.shape[1])
        }.map { image.elements[$0] })
    // That of the table drops nothing.
    case is DropoutOperation: return image
    case is AddOperation: return joined(inputs, +)
    case is MultiplyOperation: return joined(inputs, *)
    case let operation as GlobalPoolingOperation:
      let voxels = image.extent.product
      return DoubleArray(
        shape: [image.shape[0], image.shape[1], 1, 1, 1],
        elements: stride(from: 0, to: image.elements.count, by: voxels).map { start in
          let values = image.elements[start..<start + voxels]
          return operation.statistic == .average ? values.reduce(0, +) / Double(voxels) : values.max()!
        })
    case is ConcatenateOperation:
      let voxels = image.extent.product
      let samples = (0..<image.shape[0]).map { sample in
        inputs.flatMap { input in
          input.elements[(sample * input.shape[1] * voxels)..<((sample + 1) * input.shape[1] * voxels)]
        }
      }
      let channels = inputs.reduce(0) { $0 + $1.shape[1] }
      return DoubleArray(
        shape: [image.shape[0], channels] + image.shape.dropFirst(2), elements: samples.flatMap { $0 })
    default: preconditionFailure("\(testDescription) has no definition in double precision")
    }
  }
}

/// The kernel of the channels `row` and `column` among weights [rows, columns / groups]; nil where they are of two groups.
private func slice(_ row: Int, of rows: Int, _ column: Int, of columns: Int, groups: Int) -> Int? {
  let (rowsOfGroup, columnsOfGroup) = (rows / groups, columns / groups)
  guard row / rowsOfGroup == column / columnsOfGroup else { return nil }
  return row * columnsOfGroup + column % columnsOfGroup
}

extension SamePadding {
  /// Half of what the last of ⌈n / stride⌉ outputs reads beyond the input; an odd voxel is on the side of the name.
  fileprivate func before(
    _ axis: Axis, _ input: Extent3, _ kernel: Extent3, _ stride: Extent3, _ dilation: Extent3
  ) -> Int {
    let outputs = (axis(input) + axis(stride) - 1) / axis(stride)
    let end = (outputs - 1) * axis(stride) + axis(dilation) * (axis(kernel) - 1) + 1
    let missing = max(end - axis(input), 0)
    return self == .upper ? missing / 2 : (missing + 1) / 2
  }
}

/// An activation by its formula.
private func definition(_ function: Activation) -> (Double) -> Double {
  switch function {
  case .leakyReLU(let slope): { $0 < 0 ? Double(slope) * $0 : $0 }
  case .elu(let alpha): { $0 < 0 ? Double(alpha) * (exp($0) - 1) : $0 }
  case .gelu: { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 }
  case .geluByTanh: { $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) / 2 }
  case .silu: { $0 / (1 + exp(-$0)) }
  case .sigmoid: { 1 / (1 + exp(-$0)) }
  case .tanh: { tanh($0) }
  case .clip(let lower, let upper): { max(Double(lower), min($0, Double(upper))) }
  case .softplus: { log(1 + exp($0)) }
  }
}

/// The inputs and taps of a kernel that make each output, axis by axis.
private struct Window {
  let extent: Extent3
  let kernel: Extent3
  /// For d, h and w, and each position of the output along it: pairs of an input position and a tap.
  private var pairs: [[[(input: Int, tap: Int)]]] = []
  private let inputExtent: Extent3

  /// - Parameter input: The position of the input that a tap of an output reads; nil, or one outside, for none.
  init(
    from inputExtent: Extent3, to extent: Extent3, kernel: Extent3,
    _ input: (_ axis: Axis, _ output: Int, _ tap: Int) -> Int?
  ) {
    (self.inputExtent, self.extent, self.kernel) = (inputExtent, extent, kernel)
    pairs = Axis.allCases.map { axis in
      (0..<axis(extent)).map { output in
        (0..<axis(kernel)).compactMap { tap in
          guard let position = input(axis, output, tap), (0..<axis(inputExtent)).contains(position) else {
            return nil
          }
          return (position, tap)
        }
      }
    }
  }

  /// Calls `body` with flat positions of every output, of each of its inputs, and of the tap between them.
  func forEach(_ body: (_ output: Int, _ input: Int, _ tap: Int) -> Void) {
    for output in 0..<extent.product {
      for d in pairs[0][output / (extent.h * extent.w)] {
        for h in pairs[1][output / extent.w % extent.h] {
          for w in pairs[2][output % extent.w] {
            body(
              output, (d.input * inputExtent.h + h.input) * inputExtent.w + w.input,
              (d.tap * kernel.h + h.tap) * kernel.w + w.tap)
          }
        }
      }
    }
  }

  private func shape(_ batch: Int, _ channels: Int) -> [Int] {
    [batch, channels, extent.d, extent.h, extent.w]
  }

  /// Sums of products of a kernel, and the channel's offset.
  ///
  /// - Parameter slice: Which of the weight's kernels joins an input channel to an output channel; nil for none.
  func sums(
    _ image: DoubleArray, _ parameters: [ParameterSlot.Role: DoubleArray], outputs: Int,
    slice: (_ output: Int, _ input: Int, _ inputs: Int) -> Int?
  ) -> DoubleArray {
    guard let weight = parameters[.weight]?.elements else {
      preconditionFailure("a convolution without weights")
    }
    let (batch, inputs) = (image.shape[0], image.shape[1])
    let (outputVoxels, inputVoxels) = (extent.product, inputExtent.product)
    let bias = parameters[.bias]?.elements ?? [Double](repeating: 0, count: outputs)
    var result = [Double]()
    for index in 0..<batch * outputs {
      result += [Double](repeating: bias[index % outputs], count: outputVoxels)
    }
    for sample in 0..<batch {
      for output in 0..<outputs {
        for input in 0..<inputs {
          guard let slice = slice(output, input, inputs) else { continue }
          let kernelStart = slice * kernel.product
          let (to, from) = (
            (sample * outputs + output) * outputVoxels, (sample * inputs + input) * inputVoxels
          )
          forEach { result[to + $0] += weight[kernelStart + $2] * image.elements[from + $1] }
        }
      }
    }
    return DoubleArray(shape: shape(batch, outputs), elements: result)
  }

  /// The mean of the inputs of each output.
  ///
  /// - Parameter counted: The voxels along an axis that a mean is taken of; nil for those of the input.
  func means(
    _ image: DoubleArray, counted: (_ axis: Axis, _ output: Int) -> Int?
  ) -> DoubleArray {
    let planes = image.shape[0] * image.shape[1]
    var (sums, counts) = (
      [Double](repeating: 0, count: planes * extent.product), [Int](repeating: 0, count: extent.product)
    )
    for plane in 0..<planes {
      forEach { output, input, _ in
        sums[plane * extent.product + output] += image.elements[plane * inputExtent.product + input]
        if plane == 0 { counts[output] += 1 }
      }
    }
    for output in counts.indices {
      let position = [output / (extent.h * extent.w), output / extent.w % extent.h, output % extent.w]
      let along = zip(Axis.allCases, position).compactMap { counted($0, $1) }
      if along.count == 3 { counts[output] = along.reduce(1, *) }
    }
    return DoubleArray(
      shape: shape(image.shape[0], image.shape[1]),
      elements: sums.enumerated().map { $1 / Double(counts[$0 % extent.product]) })
  }

  /// The greatest input of each output.
  func maxima(_ image: DoubleArray) -> DoubleArray {
    let planes = image.shape[0] * image.shape[1]
    var result = [Double](repeating: -.infinity, count: planes * extent.product)
    for plane in 0..<planes {
      forEach { output, input, _ in
        let index = plane * extent.product + output
        result[index] = max(result[index], image.elements[plane * inputExtent.product + input])
      }
    }
    return DoubleArray(shape: shape(image.shape[0], image.shape[1]), elements: result)
  }
}

/// An array of which some elements were made of nothing.
private struct PartialArray {
  let shape: [Int]
  let elements: [Double?]

  func filled(_ value: Double) -> DoubleArray {
    DoubleArray(shape: shape, elements: elements.map { $0 ?? value })
  }
}

extension DoubleArray {
  /// Each voxel of the result is the sum over `taps` along the axes of the voxels there, times the product of their
  /// weights; nil where an axis has none.
  fileprivate func resampled(
    to output: Extent3, _ taps: (_ axis: Axis, _ index: Int) -> [(position: Int, weight: Double)]
  ) -> PartialArray {
    let voxels = extent.product
    let all = Axis.allCases.map { axis in (0..<axis(output)).map { taps(axis, $0) } }
    let elements = (0..<shape[0] * shape[1] * output.product).map { index -> Double? in
      let voxel = index % output.product
      let (d, h, w) = (
        all[0][voxel / (output.h * output.w)], all[1][voxel / output.w % output.h], all[2][voxel % output.w]
      )
      if d.isEmpty || h.isEmpty || w.isEmpty { return nil }
      var sum = 0.0
      for d in d {
        for h in h {
          for w in w {
            sum +=
              d.weight * h.weight * w.weight
              * self.elements[
                index / output.product * voxels + (d.position * extent.h + h.position) * extent.w + w.position
              ]
          }
        }
      }
      return sum
    }
    return PartialArray(shape: [shape[0], shape[1], output.d, output.h, output.w], elements: elements)
  }
}

extension ResizeGeometry {
  /// The positions of an input of `count` voxels, and their weights, by the formulas of ONNX's `Resize`.
  fileprivate func definedTaps(
    _ index: Int, count: Int, resized: Int
  ) -> [(position: Int, weight: Double)] {
    let (x, scale) = (Double(index), Double(resized) / Double(count))
    let coordinate =
      switch coordinates {
      // No extent was rounded, so that the symmetric rule has nothing to centre.
      case .halfPixel, .halfPixelSymmetric: (x + 0.5) / scale - 0.5
      case .pytorchHalfPixel: resized > 1 ? (x + 0.5) / scale - 0.5 : 0
      case .alignCorners: resized == 1 ? 0 : x * Double(count - 1) / Double(resized - 1)
      case .asymmetric: x / scale
      }
    func clamped(_ position: Double) -> Int { Int(max(0, min(Double(count - 1), position))) }
    let fraction = coordinate - coordinate.rounded(.down)
    let (below, above) = (clamped(coordinate.rounded(.down)), clamped(coordinate.rounded(.up)))
    switch interpolation {
    case .linear: return [(below, 1 - fraction), (above, fraction)]
    case .nearest(.floor): return [(below, 1)]
    case .nearest(.ceil): return [(above, 1)]
    case .nearest(.roundPreferFloor): return [(fraction <= 0.5 ? below : above, 1)]
    case .nearest(.roundPreferCeil): return [(fraction < 0.5 ? below : above, 1)]
    }
  }
}

/// The arrays joined element by element, where dimensions of one element are repeated as in numpy.
private func joined(_ arrays: [DoubleArray], _ join: (Double, Double) -> Double) -> DoubleArray {
  let shape = arrays[0].shape.indices.map { axis in arrays.map { $0.shape[axis] }.max()! }
  return DoubleArray(
    shape: shape,
    elements: (0..<shape.reduce(1, *)).map { index in
      let values = arrays.map { array in
        var (rest, position, stride) = (index, 0, 1)
        for axis in shape.indices.reversed() {
          position += (array.shape[axis] == 1 ? 0 : rest % shape[axis]) * stride
          rest /= shape[axis]
          stride *= array.shape[axis]
        }
        return array.elements[position]
      }
      return values.dropFirst().reduce(values[0], join)
    })
}

/// (x - mean) / sqrt(variance + epsilon) weight + bias, mean and biased variance those of each group of channels of
/// each sample.
private func groupNormalised(
  _ image: DoubleArray, _ parameters: [ParameterSlot.Role: DoubleArray], groups: Int, epsilon: Double
) -> DoubleArray {
  let (channels, voxels) = (image.shape[1], image.extent.product)
  let size = channels / groups * voxels
  var result = image
  for start in stride(from: 0, to: image.elements.count, by: size) {
    let values = image.elements[start..<start + size]
    let mean = values.reduce(0, +) / Double(size)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
    for index in values.indices {
      let channel = index / voxels % channels
      result.elements[index] =
        (values[index] - mean) / (variance + epsilon).squareRoot()
        * (parameters[.weight]?.elements[channel] ?? 1) + (parameters[.bias]?.elements[channel] ?? 0)
    }
  }
  return result
}

/// (x - mean) / sqrt(variance + epsilon) weight + bias, mean and biased variance those of each channel of the batch.
private func normalised(
  _ image: DoubleArray, _ parameters: [ParameterSlot.Role: DoubleArray], epsilon: Double
) -> DoubleArray {
  guard let weight = parameters[.weight]?.elements, let bias = parameters[.bias]?.elements else {
    preconditionFailure("a batch normalisation without weights")
  }
  let (channels, voxels) = (image.shape[1], image.extent.product)
  var result = image
  for channel in 0..<channels {
    let indices = image.elements.indices.filter { $0 / voxels % channels == channel }
    let mean = indices.reduce(0) { $0 + image.elements[$1] } / Double(indices.count)
    let variance =
      indices.reduce(0) { $0 + (image.elements[$1] - mean) * (image.elements[$1] - mean) }
      / Double(indices.count)
    for index in indices {
      result.elements[index] =
        (image.elements[index] - mean) / (variance + epsilon).squareRoot() * weight[channel] + bias[channel]
    }
  }
  return result
}
