import Review
import Testing
import Volumes
import Work

/// The network result of tests: the phantom's liver, one voxel larger along i.
package func networkResult(for content: ReviewCase) -> SegmentationResult {
  var labels = content.image.voxels.map { _ in UInt16(0) }
  let size = content.image.grid.size
  for offset in labels.indices {
    let index = size.index(offset: offset)
    if (4..<15).contains(index.i), (5..<15).contains(index.j), (3..<12).contains(index.k) {
      labels[offset] = 1
    }
  }
  return SegmentationResult(
    labels: ChunkedLabels(LabelVolume(grid: content.image.grid, voxels: labels)),
    table: LabelTable([Label(value: 1, name: "Liver", colour: RGBColour(0, 158, 115))]),
    probabilities: ProbabilitiesHandle(7), auxiliaryHeadCount: 2,
    advisedSettings: RefinementSettings(appearanceWeight: 4, auxiliaryHeadWeights: [0.2, 0.2]))
}

/// The model of ``networkResult(for:)``.
package let pretendedModel = ModelDescription(
  id: "liver", name: "liver network", labels: LabelTable(), size: "1.1 M weights", input: "portal venous CT",
  estimatedSeconds: 12, warning: "this image does not look like CT")

/// The probabilities behind ``networkResult(for:)`` on a grid of half the resolution: the liver's falls from 1 to 0
/// along i.
package func pretendedProbabilities(for content: ReviewCase) -> VersionProbabilities {
  let grid = content.image.grid
  let size = GridSize((grid.size.i + 1) / 2, (grid.size.j + 1) / 2, (grid.size.k + 1) / 2)
  var affine = grid.affine
  (affine.stepI, affine.stepJ, affine.stepK) = (
    doubled(affine.stepI), doubled(affine.stepJ), doubled(affine.stepK)
  )
  let liver = (0..<size.voxelCount).map { offset in
    1 - Float(size.index(offset: offset).i) / Float(max(1, size.i - 1))
  }
  return VersionProbabilities(
    ProbabilityVolume(
      grid: VolumeGrid(size: size, affine: affine), classCount: 2, values: liver.map { 1 - $0 } + liver),
    labelValues: [0, 1], on: grid)
}

private func doubled(_ step: WorldPoint) -> WorldPoint { WorldPoint(2 * step.x, 2 * step.y, 2 * step.z) }

extension ReviewState {
  /// Ends the job that fetches probabilities with the pretended ones.
  package mutating func fetchPretendedProbabilities() throws {
    let id = try #require(jobs[.probabilities]?.id)
    let known = pretendedProbabilities(for: content)
    _ = reduce(&self, .jobEnded(id, .finished(ProbabilitiesJob.self, with: known)))
  }
}

extension ReviewState {
  /// Ends the job that lists a folder.
  @discardableResult
  package mutating func finishListing(_ folder: String, _ entries: [FolderEntry]) throws -> [ReviewEffect] {
    let job = try #require(jobs[.folder])
    let asked = try #require(running(FolderJob.self))
    #expect(asked.folder == folder)
    let listing = FolderListing(folder: folder, content: asked.content, entries: entries)
    return reduce(&self, .jobEnded(job.id, .finished(FolderJob.self, with: listing)))
  }

  /// Ends the job that lists the parts of a file.
  package mutating func finishParts(_ parts: [FilePart]) throws {
    let asked = try #require(running(FilePartsJob.self))
    let list = FilePartList(path: asked.path, kind: asked.part, parts: parts)
    _ = reduce(
      &self, .jobEnded(try #require(jobs[.fileParts]?.id), .finished(FilePartsJob.self, with: list)))
  }

  /// Ends the job that reads the preview of the candidate that is pointed at.
  package mutating func finishPreview(_ outcome: JobOutcome) throws {
    _ = reduce(&self, .jobEnded(try #require(jobs[.filePreview]?.id), outcome))
  }
}

/// The preview of a CT of 40 x 30 x 20 voxels: a bright disc that is brighter to the right, in a dark frame.
package let pretendedPreview: FilePreview = {
  let size = GridSize(40, 30, 1)
  let values = (0..<size.voxelCount).map { offset -> Float in
    let (i, j) = (offset % 40 - 20, offset / 40 - 15)
    return i * i + j * j < 150 ? Float(40 + 8 * i) : -1000
  }
  return FilePreview(
    slice: ScalarVolume(grid: grid(size, .lps), voxels: values),
    window: IntensityWindow(centre: 40, width: 400), summary: "40x30x20, 1x1x1 mm, CT, 16-bit")
}()

/// A job of the CRF on a request.
package protocol RefiningJob: Job where Outcome == RefinedPart {
  var request: RefinementRequest { get }
}

extension PreviewJob: RefiningJob {}
extension BackgroundRefinementJob: RefiningJob {}
extension RefinementJob: RefiningJob {}

extension RefinementRequest {
  /// The result of the request that has these labels of the whole image, cropped to the region that is asked for.
  package func result(
    _ labels: LabelVolume, movableFraction: Double? = nil
  ) throws -> RefinedPart {
    let box = region ?? VoxelBounds(labels.grid.size)
    let refined = RefinedLabels(
      box: box, labels: ChunkedLabels(labels).volume(croppedTo: box), movableFraction: movableFraction)
    return try RefinedPart(refined, of: self, WorkContext())
  }
}

extension ReviewState {
  /// Ends a job of the CRF with these labels of the whole image.
  @discardableResult
  package mutating func finish<J: RefiningJob>(
    _ started: (id: JobID, job: J), with labels: LabelVolume
  ) throws -> [ReviewEffect] {
    reduce(&self, .jobEnded(started.id, .finished(J.self, with: try started.job.request.result(labels))))
  }

  /// Runs the pretended network to its end.
  @discardableResult
  package mutating func runNetwork() throws -> [ReviewEffect] {
    let asked = type("m")
    if let job = asked.started {
      _ = reduce(&self, .jobEnded(job.id, .finished(ModelsJob.self, with: [pretendedModel])))
    }
    let id = try #require(jobs[.segmentation]?.id ?? press(.enter).started?.id)
    let result = networkResult(for: content)
    let components = try LabelComponents(result.labels, work: WorkContext())
    return reduce(&self, .jobEnded(id, .finished(SegmentationJob.self, with: .init(result, components))))
  }

  /// Ends the job of a type with a refinement of all of the image that takes away label 1.
  @discardableResult
  package mutating func finishRefining<J: Job>(_ type: J.Type) throws -> [ReviewEffect]
  where J.Outcome == RefinedPart {
    let job = try #require(jobs[J.kind])
    let base = try #require(refinementBase)
    let request = RefinementRequest(
      image: content.image, source: .mask(base.labels, confidence: 0.9), table: base.table,
      settings: decisions.knobs.refinement, labelsBefore: base.labels, componentsBefore: base.components)
    var refined = try base.labels.volume
    for offset in refined.voxels.indices where refined.voxels[offset] == 1 { refined.voxels[offset] = 0 }
    let labels = RefinedLabels(box: VoxelBounds(refined.grid.size), labels: refined)
    let part = try RefinedPart(labels, of: request, WorkContext())
    return reduce(&self, .jobEnded(job.id, .finished(J.self, with: part)))
  }

  /// Opens the CRF panel and ends the refinement of the whole image.
  package mutating func refineLive() throws {
    type("t")
    try finishRefining(PreviewJob.self)
    try finishRefining(BackgroundRefinementJob.self)
  }
}
