import Volumes
import Work

/// Abdomens like those of a CT scanner in the portal venous phase, from a seed.
///
/// The patient's build, pose, organs, contrast and noise are drawn from the seed; surfaces are smooth, with partial
/// volumes, and are displaced by a smooth random field. Values are whole Hounsfield units. The same seed gives the same
/// voxels on every machine and for any number of threads, since no function whose last bit may differ between libraries
/// takes part.
package struct CTPhantom: Sendable {
  /// The seed of all random draws.
  package let seed: UInt64

  /// The case of this seed.
  package init(seed: UInt64) { self.seed = seed }

  /// The labels a case may have, with the values of the BTCV challenge.
  package static let labels = LabelTable(
    [
      (AbdomenLabel.spleen, "spleen"), (AbdomenLabel.rightKidney, "right kidney"),
      (AbdomenLabel.leftKidney, "left kidney"), (AbdomenLabel.gallbladder, "gallbladder"),
      (AbdomenLabel.liver, "liver"), (AbdomenLabel.stomach, "stomach"), (AbdomenLabel.aorta, "aorta"),
      (AbdomenLabel.venaCava, "inferior vena cava"), (AbdomenLabel.pancreas, "pancreas"),
    ].map { Label(value: $0.0, name: $0.1, colour: LabelTable.colour(ofValue: $0.0)) })

  /// Paints the case on a grid of `size` voxels whose top slice is above the diaphragm.
  ///
  /// - Parameters:
  ///   - size: i to the left, j to the back, k to the head; 122 x 101 x 112 shows the upper abdomen at 3 mm.
  /// - Throws: `Cancelled`.
  package func generate(
    size: GridSize, spacing: Spacing, work: WorkContext
  ) throws(Cancelled) -> (image: ScalarVolume, labels: LabelVolume, table: LabelTable) {
    var patient = CTPatient(seed: seed)
    let noise = patient.random.uniform(7...16)
    let drift = patient.random.uniform(0...4)
    let scene = scene(&patient)
    var (intensities, labels) = try scene.painted(size: size, spacing: spacing, work: work.withoutProgress)
    work.report(0.7)
    // Noise of a given dose has more variance in smaller voxels; the drawn level is that of 3 mm voxels.
    let voxelVolume = Float(spacing.i * spacing.j * spacing.k)
    let level = noise * min((27 / voxelVolume).squareRoot(), 2.5)
    let correlated = try AcquisitionNoise.correlated(
      size: size, seed: seed, firstStream: 1000, work: work.withoutProgress)
    for k in 0..<size.k {
      try work.checkCancellation()
      for offset in k * size.i * size.j..<(k + 1) * size.i * size.j {
        let index = Float(offset % size.i) / Float(size.i) - 0.5
        let value = intensities[offset] + drift * index + level * correlated[offset]
        intensities[offset] = min(max(value.rounded(), -1024), 2000)
      }
    }
    work.report(1)
    return (ScalarVolume(grid: labels.grid, voxels: intensities), labels, CTPhantom.labels)
  }

  /// The painted parts, back to front, and the patient's pose.
  private func scene(_ patient: inout CTPatient) -> PhantomScene {
    var parts = patient.trunkParts()
    parts += patient.bowelParts()
    parts += patient.organParts()
    parts += patient.vesselParts()
    parts += patient.skeletonParts()
    var random = PhantomRandom(seed: seed, stream: 2)
    let scale = SIMD3(random.uniform(0.93...1.12), random.uniform(0.92...1.12), random.uniform(0.9...1.1))
    let back = (patient.skin.back.value(-100) + patient.skin.insets.z) * scale.y
    let front = (patient.skin.front.value(-100) + patient.skin.insets.y) * scale.y
    // The body lies a little above or below the middle of the field of view.
    let middle = (back - front) / 2
    let halfExtent = SIMD3<Float>(300, 300, 620)
    return PhantomScene(
      emptyIntensity: -1000, parts: parts, scale: scale,
      offset: SIMD3(
        random.uniform(-8...8), middle + random.uniform(-6...14), random.uniform(-75...(-22))),
      rotationSine: random.uniform(-0.1...0.1),
      displacement: (0..<3).map { _ in SmoothField(halfExtent: halfExtent, wavelength: 75, random: &random) },
      deformation: random.uniform(5...9),
      surfaceField: SmoothField(halfExtent: halfExtent, wavelength: 34, random: &random),
      textureField: SmoothField(halfExtent: halfExtent, wavelength: 15, random: &random))
  }
}
