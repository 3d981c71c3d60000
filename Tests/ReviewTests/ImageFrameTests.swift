import Review
import ReviewFixtures
import Screen
import Testing
import Volumes
import Work

/// The phantom as the first of three frames.
private func threeFrames() throws -> ReviewState {
  var content = phantomCase()
  content.frameCount = 3
  content.findings = ["case-1.nii.gz: scl_slope is nan; voxels are not scaled"]
  return try openedState(content, screen: ScreenSize(rows: 40, columns: 120))
}

extension ReviewState {
  /// Ends the reading of a frame that a key asked for: all of it is as bright as its number.
  fileprivate mutating func finishReading(_ effects: [ReviewEffect]) {
    let started = effects.lazy.compactMap { effect -> (id: JobID, request: FrameRequest)? in
      guard case .start(let id, let job) = effect, let frame = job.base as? FrameJob else { return nil }
      return (id, frame.request)
    }.first
    guard let (id, request) = started else {
      Issue.record("no frame is read: \(effects)")
      return
    }
    let image = ScalarVolume(
      grid: request.grid,
      voxels: [Float](repeating: Float(request.frame), count: request.grid.size.voxelCount))
    _ = reduce(
      &self, .jobEnded(id, .finished(FrameJob.self, with: ReadFrame(frame: request.frame, image: image))))
  }
}

@Test(
  "an image of several frames shows its frame; keys and :frame go to others, and the window stays")
func framesAreChosen() throws {
  var state = try threeFrames()
  #expect(
    state.message == Message("frame 0 of 0-2; ( and ) change it (M: 1 more)", .warning))
  state.type(":window 1 4")
  state.press(.enter)
  let crosshair = state.view.crosshair
  let effects = state.type(")")
  // The panes show the present frame until the new one is read.
  #expect(state.content.frame == 0)
  state.finishReading(effects)
  #expect(state.content.frame == 1)
  #expect(state.content.image.voxels.allSatisfy { $0 == 1 })
  #expect(state.view.window == IntensityWindow(centre: 1, width: 4))
  #expect(state.view.crosshair == crosshair)
  #expect(render(state).text.contains { $0.contains("frame 1 of 0-2") })
  state.type(":frame 2")
  state.finishReading(state.press(.enter))
  #expect(state.content.frame == 2)
  #expect(state.type(")") == [])
  state.type(":frame 3")
  #expect(state.press(.enter).started(.frame) == nil)
  #expect(state.message == Message("frame 3: the frames are 0 to 2", .error))
  state.type(":frame x")
  state.press(.enter)
  #expect(state.message == Message("frame: type a number, counted from 0", .error))
}

@Test("held keys count from the frame that is being read, and an image of one frame has no other")
func framesAreSkipped() throws {
  var state = try threeFrames()
  _ = state.type(")")
  state.finishReading(state.type(")"))
  #expect(state.content.frame == 2)
  var single = try openedState()
  #expect(single.type(")") == [])
  #expect(single.message == Message("the image has one frame", .warning))
}

@Test("a refinement of a mask is of the frame that is shown, and its provenance names it")
func framesAreRecorded() throws {
  var state = try threeFrames()
  state.finishReading(state.type(")"))
  state.type("t")
  let run = state.press(.enter)
  guard let request = run.started(RefinementJob.self)?.job.request else {
    Issue.record("no refinement was started")
    return
  }
  #expect(request.image == state.content.image)
  let labels = RefinedLabels(
    box: VoxelBounds(request.labelsBefore.grid.size), labels: try request.labelsBefore.volume)
  _ = reduce(
    &state,
    .jobEnded(
      run.started!.id,
      .finished(RefinementJob.self, with: try RefinedPart(labels, of: request, WorkContext()))))
  #expect(state.provenance(of: state.decisions.versions[1]).frame == 1)
}

@Test("the provenance of a mask that was opened names the frame that is shown")
func frameOfMask() throws {
  var state = try threeFrames()
  let mask = try #require(state.decisions.versions.first)
  #expect(state.provenance(of: mask).frame == 0)
  state.finishReading(state.type(")"))
  #expect(state.provenance(of: mask).frame == 1)
}

@Test("M or i shows every finding and message in full")
func notesAreShown() throws {
  var state = try threeFrames()
  state.type(":window 50 0")
  state.press(.enter)
  state.type("i")
  let text = render(state).text
  #expect(text.contains { $0.contains("case-1.nii.gz: scl_slope is nan; voxels are not scaled") })
  #expect(text.contains { $0.contains("window: the width must be at least 0.000001") })
  state.press(.escape)
  #expect(state.dialog == nil)
}
