import Screen

/// The division of a cell by one of the shapes, and its colours.
struct BlockFit {
  let shapes: BlockShapes
  /// The number of kinds that are no labels.
  let markCount: UInt32

  private static let luminanceWeights = SIMD3<Float>(0.299, 0.587, 0.114)

  /// The division of a cell.
  ///
  /// - Parameter scratch: Room for three values for each pixel, four for each shape, and what the sums need.
  func division(_ part: CellPixels, scratch: UnsafeMutablePointer<Float>) -> CellDivision {
    if part.isOneColour { return CellDivision(of: part[0, 0]) }
    return part.isOneKind ? divided(part, scratch) : partitioned(part, scratch)
  }

  /// The division with the least squared error.
  ///
  /// The squared error of a part in its mean colour is the sum of squares less |sum|² / area. The sum of squares is the
  /// same for all divisions, so the best one has the greatest (sum - area * total)² / (area (1 - area)).
  private func divided(_ part: CellPixels, _ scratch: UnsafeMutablePointer<Float>) -> CellDivision {
    let count = part.width * part.height
    let (values, scores) = (scratch, scratch + 3 * count)
    let sums = scores + shapes.count
    let channels = part.copyChannels(to: values)
    scores.update(repeating: 0, count: shapes.count)
    var totals = SIMD3<Float>()
    for channel in 0..<channels {
      let channelSums = sums + channel * shapes.count
      let total = shapes.sum(
        values + channel * count, width: part.width, height: part.height, into: channelSums,
        scratch: sums + 3 * shapes.count)
      totals[channel] = total
      let weight = channels == 1 ? 1 : Self.luminanceWeights[channel]
      shapes.areas.withUnsafeBufferPointer { areas in
        shapes.weights.withUnsafeBufferPointer { weights in
          for shape in 0..<areas.count {
            let difference = channelSums[shape] - areas[shape] * total
            scores[shape] += weight * difference * difference * weights[shape]
          }
        }
      }
    }
    var best = 0
    for shape in 1..<shapes.count where scores[shape] > scores[best] { best = shape }
    var covered = SIMD3<Float>()
    for channel in 0..<channels { covered[channel] = sums[channel * shapes.count + best] }
    if channels == 1 { (covered, totals) = (SIMD3(repeating: covered.x), SIMD3(repeating: totals.x)) }
    let area = shapes.areas[best] * Float(count)
    return CellDivision(
      shape: best, foreground: RGB(covered / area),
      background: RGB((totals - covered) / (Float(count) - area)))
  }

  /// The division that separates the first kind of a cell's pixels best from the second, or from all others.
  ///
  /// The kinds are the greatest two labels; a mark counts only without a label. Pixels of the first kind have at least
  /// the weight of half a cell together, and some of them must be covered, so that a single pixel gets the smallest
  /// shape around it.
  private func partitioned(_ part: CellPixels, _ scratch: UnsafeMutablePointer<Float>) -> CellDivision {
    let kinds = part.greatestKinds(markCount: markCount)
    let count = part.width * part.height
    let first = part.mean { $0 == kinds.first }
    let second = kinds.second.map { other in part.mean { $0 == other } } ?? part.mean { $0 != kinds.first }
    let (gains, presences, sums) = (scratch, scratch + count, scratch + 2 * count)
    let (covered, free) = (sums + shapes.count, sums + 2 * shapes.count)
    let half = Float(count) / 2
    let gain = max(1, half / Float(first.count))
    let loss = kinds.second == nil ? 1 : max(1, half / Float(second.count))
    for y in 0..<part.height {
      for x in 0..<part.width {
        let kind = part.kind(x, y)
        let pixel = y * part.width + x
        presences[pixel] = kind == kinds.first ? 1 : 0
        let isOther = kinds.second == nil || kind == kinds.second
        gains[pixel] = kind == kinds.first ? gain : isOther ? -loss : 0
      }
    }
    let total = shapes.sum(gains, width: part.width, height: part.height, into: sums, scratch: free)
    let present = shapes.sum(presences, width: part.width, height: part.height, into: covered, scratch: free)
    // Sums of parts are exact only to rounding.
    let least = Float(0.001)
    var best = (gain: -Float.infinity, shape: 0, isInverse: false)
    for shape in 0..<shapes.count {
      if sums[shape] > best.gain, covered[shape] > least { best = (sums[shape], shape, false) }
      if total - sums[shape] > best.gain, present - covered[shape] > least {
        best = (total - sums[shape], shape, true)
      }
    }
    return best.isInverse
      ? CellDivision(shape: best.shape, foreground: second.colour, background: first.colour)
      : CellDivision(shape: best.shape, foreground: first.colour, background: second.colour)
  }
}

/// A cell divided by a shape; without a shape it has one colour.
struct CellDivision {
  var shape: Int?
  var foreground, background: RGB

  init(shape: Int, foreground: RGB, background: RGB) {
    self.shape = shape
    self.foreground = foreground
    self.background = background
  }

  init(of colour: RGB) { (foreground, background) = (colour, colour) }
}

/// The pixels of one cell in a picture, whose memory it does not own.
struct CellPixels {
  let pixels: UnsafePointer<RGB>
  /// nil where the picture has no layers.
  let kinds: UnsafePointer<UInt32>?
  /// Pixels of the picture from one row to the next.
  let stride: Int
  let width, height: Int

  subscript(x: Int, y: Int) -> RGB { pixels[y * stride + x] }

  func kind(_ x: Int, _ y: Int) -> UInt32 { kinds.map { $0[y * stride + x] } ?? 0 }

  var isOneColour: Bool {
    let colour = pixels[0]
    for y in 0..<height {
      for x in 0..<width where self[x, y] != colour { return false }
    }
    return true
  }

  var isOneKind: Bool {
    guard let kinds else { return true }
    let kind = kinds[0]
    for y in 0..<height {
      for x in 0..<width where kinds[y * stride + x] != kind { return false }
    }
    return true
  }

  /// Copies the channels, one after the other, or only one where all pixels are grey.
  /// - Returns: The number of channels.
  func copyChannels(to values: UnsafeMutablePointer<Float>) -> Int {
    let count = width * height
    var isGrey = true
    for y in 0..<height {
      let row = values + y * width
      for x in 0..<width {
        let pixel = self[x, y]
        row[x] = Float(pixel.red)
        isGrey = isGrey && pixel.red == pixel.green && pixel.green == pixel.blue
      }
    }
    if isGrey { return 1 }
    for y in 0..<height {
      let row = values + y * width
      for x in 0..<width {
        row[count + x] = Float(self[x, y].green)
        row[2 * count + x] = Float(self[x, y].blue)
      }
    }
    return 3
  }

  /// The greatest label and the next one, if any; without a label the greatest mark.
  func greatestKinds(markCount: UInt32) -> (first: UInt32, second: UInt32?) {
    var (first, second) = (UInt32(0), UInt32(0))
    for y in 0..<height {
      for x in 0..<width {
        let kind = kind(x, y)
        if kind > first {
          (first, second) = (kind, first)
        } else if kind < first, kind > second {
          second = kind
        }
      }
    }
    return (first, second > markCount ? second : nil)
  }

  /// The mean colour of the pixels of some kinds, and their number; black for none.
  func mean(_ isIncluded: (UInt32) -> Bool) -> (colour: RGB, count: Int) {
    var (sum, count) = (SIMD3<Float>(), 0)
    for y in 0..<height {
      for x in 0..<width where isIncluded(kind(x, y)) {
        let pixel = self[x, y]
        sum += SIMD3(Float(pixel.red), Float(pixel.green), Float(pixel.blue))
        count += 1
      }
    }
    return (count == 0 ? RGB(grey: 0) : RGB(sum / Float(count)), count)
  }
}

extension RGB {
  /// The nearest colour.
  fileprivate init(_ channels: SIMD3<Float>) {
    let rounded = (channels + 0.5).clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 255))
    self.init(UInt8(rounded.x), UInt8(rounded.y), UInt8(rounded.z))
  }
}
