import Foundation
import Volumes
import Work

/// A random crop of a training case: the network's input and its target.
package struct Crop: Equatable, Sendable {
  /// Normalised intensities of each image, [channel, k, j, i], i fastest; 0 outside the case.
  package var intensities: [Float]
  /// Class of each voxel; ``TrainingCase/ignoredClass`` outside the case and in unlabelled voxels.
  package var classes: [UInt8]
}

/// Samples random crops of training cases, with rotation, scaling, elastic deformation and intensity augmentation.
///
/// The images of a case are moved together; the intensities of each are changed on their own.
///
/// A crop depends on the generator only: the same seed gives the same crops on any number of threads.
package struct CropSampler: Sendable {
  /// Voxels of a crop.
  package var size: GridSize
  /// The spacing of the working grid: cases are rotated and deformed in millimetres, so that a thick slice stays one.
  package var spacing: Spacing
  package var augmentation: Augmentation

  /// A sampler of crops of `size` voxels.
  package init(size: GridSize, spacing: Spacing = Spacing(1), augmentation: Augmentation) {
    self.size = size
    self.spacing = spacing
    self.augmentation = augmentation
  }

  /// A random crop of `example`.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(crop voxels), one trilinear sample of each image; parallel over slices.
  package func crop(
    of example: TrainingCase, using generator: inout SplitMix64, work: WorkContext
  ) throws(Cancelled) -> Crop {
    let centre = randomCentre(in: example, using: &generator)
    let map = randomMap(using: &generator)
    let deformation = ElasticDeformation(
      size: size, standardDeviationVoxels: augmentation.elasticVoxels * voxelsPerFinestVoxel,
      using: &generator)
    var crop = try sampled(example, centre: centre, map: map, deformation: deformation, work: work)
    for channel in 0..<example.channelCount {
      changeIntensities(of: &crop, channel: channel, using: &generator)
    }
    // After the intensity augmentation, which applies to unlabelled voxels too.
    for index in crop.classes.indices where crop.classes[index] == TrainingCase.unlabelledClass {
      crop.classes[index] = TrainingCase.ignoredClass
    }
    return crop
  }

  /// The crop's centre in the case: near a foreground voxel or anywhere inside.
  private func randomCentre(in example: TrainingCase, using generator: inout SplitMix64) -> SIMD3<Double> {
    let classes = example.foreground.indices.filter { !example.foreground[$0].isEmpty }
    if !classes.isEmpty, generator.uniform() < augmentation.foregroundProbability {
      let offsets = example.foreground[classes[generator.index(below: classes.count)]]
      let voxel = example.size.index(offset: offsets[generator.index(below: offsets.count)])
      // The voxel may be anywhere in the middle half of the crop.
      func jitter(_ extent: Int) -> Double { generator.uniform(-0.25...0.25) * Double(extent) }
      return SIMD3(
        Double(voxel.i) + jitter(size.i), Double(voxel.j) + jitter(size.j), Double(voxel.k) + jitter(size.k))
    }
    func anywhere(_ extent: Int, _ crop: Int) -> Double {
      let margin = min(Double(crop) / 2 - 0.5, Double(extent - 1) / 2)
      return generator.uniform(margin...Double(extent - 1) - margin)
    }
    return SIMD3(
      anywhere(example.size.i, size.i), anywhere(example.size.j, size.j), anywhere(example.size.k, size.k))
  }

  /// The length of a voxel of the finest axis, in voxels of each axis; 1 on isotropic grids.
  private var voxelsPerFinestVoxel: SIMD3<Double> {
    let finest = min(spacing.i, spacing.j, spacing.k)
    return SIMD3(finest / spacing.i, finest / spacing.j, finest / spacing.k)
  }

  /// The columns of the linear map from voxels of the crop to voxels of the case.
  private func randomMap(using generator: inout SplitMix64) -> [SIMD3<Double>] {
    var columns = [SIMD3<Double>(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)]
    func rotate(_ a: Int, _ b: Int, _ angle: Double) {
      let (c, s) = (cos(angle), sin(angle))
      for column in 0..<3 {
        let (x, y) = (columns[column][a], columns[column][b])
        columns[column][a] = c * x - s * y * (spacing[b] / spacing[a])
        columns[column][b] = s * x * (spacing[a] / spacing[b]) + c * y
      }
    }
    let common = generator.uniform(-1...1) * augmentation.logScale
    for axis in 0..<3 {
      let scale = exp(common + generator.uniform(-1...1) * augmentation.logScale / 3)
      let isMirrored = augmentation.mirroredAxes.contains(axis) && generator.uniform() < 0.5
      columns[axis] *= isMirrored ? -scale : scale
    }
    if augmentation.quarterTurns { rotate(0, 1, Double(generator.index(below: 4)) * .pi / 2) }
    for (axis, (a, b)) in [(1, 2), (2, 0), (0, 1)].enumerated() {
      rotate(a, b, generator.uniform(-1...1) * augmentation.rotationDegrees[axis] * .pi / 180)
    }
    return columns
  }

  /// Resamples the case: trilinear intensities, nearest-neighbour classes.
  private func sampled(
    _ example: TrainingCase, centre: SIMD3<Double>, map: [SIMD3<Double>], deformation: ElasticDeformation,
    work: WorkContext
  ) throws(Cancelled) -> Crop {
    let (size, channelCount) = (size, example.channelCount)
    var crop = Crop(
      intensities: [Float](repeating: 0, count: channelCount * size.voxelCount),
      classes: [UInt8](repeating: TrainingCase.ignoredClass, count: size.voxelCount))
    var failure: Cancelled?
    crop.intensities.withUnsafeMutableBufferPointer { intensityBuffer in
      crop.classes.withUnsafeMutableBufferPointer { classBuffer in
        let intensities = DisjointBuffer(intensityBuffer)
        let classes = DisjointBuffer(classBuffer)
        do throws(Cancelled) {
          try work.withoutProgress.forEach(count: size.k) { k, _ in
            example.intensities.withUnsafeBufferPointer { source in
              let images = (0..<channelCount).map { channel in
                let start = channel * example.size.voxelCount
                return UnsafeBufferPointer(rebasing: source[start..<start + example.size.voxelCount])
              }
              example.classes.withUnsafeBufferPointer { sourceClasses in
                for j in 0..<size.j {
                  let stepJ = map[1] * (Double(j) - Double(size.j - 1) / 2)
                  let stepK = map[2] * (Double(k) - Double(size.k - 1) / 2)
                  let row = centre + stepJ + stepK - map[0] * (Double(size.i - 1) / 2)
                  for i in 0..<size.i {
                    let point = row + map[0] * Double(i) + deformation.displacement(i, j, k)
                    guard let nearest = nearestOffset(point, example.size) else { continue }
                    let offset = (k * size.j + j) * size.i + i
                    for channel in 0..<channelCount {
                      intensities[channel * size.voxelCount + offset] =
                        trilinear(images[channel], example.size, point)
                    }
                    classes[offset] = sourceClasses[nearest]
                  }
                }
              }
            }
          }
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return crop
  }

  /// Applies gain, shift, gamma, noise and blur to the voxels of one image inside the case.
  private func changeIntensities(of crop: inout Crop, channel: Int, using generator: inout SplitMix64) {
    let gain = Float(1 + generator.uniform(-1...1) * augmentation.gain)
    let shift = Float(generator.uniform(-1...1) * augmentation.shift)
    let gamma = Float(exp(generator.uniform(-1...1) * augmentation.logGamma))
    let noise = Float(generator.uniform() * augmentation.noise)
    if generator.uniform() < augmentation.blurProbability {
      let axis = [0, 1, 2, 2][generator.index(below: 4)]
      // The voxels of a far coarser axis come from slices that are thick already.
      if voxelsPerFinestVoxel[axis] > 0.5 { blur(&crop, channel: channel, axis: axis) }
    }
    // A generator of its own, so that the noise takes one number of `generator` whatever the crop's size.
    var noiseGenerator = generator.forked(1)
    _ = generator.next()
    let start = channel * size.voxelCount
    for voxel in crop.classes.indices where crop.classes[voxel] != TrainingCase.ignoredClass {
      let index = start + voxel
      var value = crop.intensities[index]
      if gamma != 1, value > 0, value < 1 { value = pow(value, gamma) }
      value = value * gain + shift
      if noise > 0 {
        // The sum of four uniform numbers approximates a normal one: variance 4/12.
        let bits = noiseGenerator.next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        value += noise * (Float(sum) / 65536 - 2) * 1.732
      }
      crop.intensities[index] = value
    }
  }

  /// Averages one image along one axis with weights 1/4, 1/2, 1/4.
  private func blur(_ crop: inout Crop, channel: Int, axis: Int) {
    let stride = axis == 0 ? 1 : axis == 1 ? size.i : size.i * size.j
    let extent = size[axis]
    guard extent > 2 else { return }
    let source = crop.intensities
    // The voxels of an image are a multiple of those of a line, plane or volume along `axis`.
    for offset in channel * size.voxelCount..<(channel + 1) * size.voxelCount {
      let position = offset / stride % extent
      guard position > 0, position < extent - 1 else { continue }
      crop.intensities[offset] =
        0.5 * source[offset] + 0.25 * (source[offset - stride] + source[offset + stride])
    }
  }
}

/// Memory offset of the voxel nearest to a continuous index; nil outside the grid.
@inline(__always)
private func nearestOffset(_ point: SIMD3<Double>, _ size: GridSize) -> Int? {
  let rounded = point.rounded(.toNearestOrAwayFromZero)
  let i = Int(rounded.x)
  let j = Int(rounded.y)
  let k = Int(rounded.z)
  guard i >= 0, j >= 0, k >= 0, i < size.i, j < size.j, k < size.k else { return nil }
  return (k * size.j + j) * size.i + i
}

/// The trilinear value at a continuous index within half a voxel of the grid, whose edge values continue outwards.
@inline(__always)
private func trilinear(_ source: UnsafeBufferPointer<Float>, _ size: GridSize, _ point: SIMD3<Double>)
  -> Float
{
  let limit = SIMD3(Double(size.i - 1), Double(size.j - 1), Double(size.k - 1))
  let inside = point.clamped(lowerBound: SIMD3(repeating: 0), upperBound: limit)
  let i = min(Int(inside.x), max(size.i - 2, 0))
  let j = min(Int(inside.y), max(size.j - 2, 0))
  let k = min(Int(inside.z), max(size.k - 2, 0))
  let x = Float(inside.x - Double(i))
  let y = Float(inside.y - Double(j))
  let z = Float(inside.z - Double(k))
  let stepI = size.i > 1 ? 1 : 0
  let stepJ = size.j > 1 ? size.i : 0
  let stepK = size.k > 1 ? size.i * size.j : 0
  let base = (k * size.j + j) * size.i + i
  func row(_ offset: Int) -> Float { source[offset] + x * (source[offset + stepI] - source[offset]) }
  func plane(_ offset: Int) -> Float {
    let near = row(offset)
    return near + y * (row(offset + stepJ) - near)
  }
  let near = plane(base)
  return near + z * (plane(base + stepK) - near)
}

/// The elastic deformation of a crop: normal displacements at 5x5x5 control points, trilinear between them.
private struct ElasticDeformation: Sendable {
  /// Control points along each axis.
  private static let points = 5
  /// Displacements of the control points in voxels of the case, i fastest; empty for none.
  private let controls: [SIMD3<Double>]
  /// Distances of control points per voxel of the crop.
  private let scale: SIMD3<Double>

  init(size: GridSize, standardDeviationVoxels: SIMD3<Double>, using generator: inout SplitMix64) {
    let n = ElasticDeformation.points
    controls =
      standardDeviationVoxels.max() > 0
      ? (0..<n * n * n).map { _ in
        standardDeviationVoxels * SIMD3(generator.normal(), generator.normal(), generator.normal())
      } : []
    func along(_ extent: Int) -> Double { extent > 1 ? Double(n - 1) / Double(extent - 1) : 0 }
    scale = SIMD3(along(size.i), along(size.j), along(size.k))
  }

  @inline(__always)
  func displacement(_ i: Int, _ j: Int, _ k: Int) -> SIMD3<Double> {
    if controls.isEmpty { return SIMD3(repeating: 0) }
    let n = ElasticDeformation.points
    let x = Double(i) * scale.x
    let y = Double(j) * scale.y
    let z = Double(k) * scale.z
    let a = min(Int(x), n - 2)
    let b = min(Int(y), n - 2)
    let c = min(Int(z), n - 2)
    let fx = x - Double(a)
    let fy = y - Double(b)
    let fz = z - Double(c)
    var sum = SIMD3<Double>(repeating: 0)
    for corner in 0..<8 {
      let (u, v, w) = (corner & 1, corner >> 1 & 1, corner >> 2)
      let weightX: Double = u == 1 ? fx : 1 - fx
      let weightY: Double = v == 1 ? fy : 1 - fy
      let weightZ: Double = w == 1 ? fz : 1 - fz
      let control = controls[((c + w) * n + b + v) * n + a + u]
      sum += (weightX * weightY * weightZ) * control
    }
    return sum
  }
}
