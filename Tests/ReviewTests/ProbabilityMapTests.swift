import Foundation
import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

private func mappedState(_ rows: Int = 24, _ columns: Int = 80) throws -> ReviewState {
  var state = try openedState(screen: ScreenSize(rows: rows, columns: columns))
  try state.runNetwork()
  try state.fetchPretendedProbabilities()
  return state
}

@Suite struct ProbabilityMapTests {
  @Test("probabilities are linear between the network's voxels, and constant beyond the outermost ones")
  func interpolation() {
    let content = phantomCase()
    let known = pretendedProbabilities(for: content)
    // 12 voxels along i, two of the image's apart: voxel 2 n of the image lies on the network's voxel n.
    for (i, expected) in [(0.0, 1.0), (2, 10.0 / 11), (3, 9.5 / 11), (22, 0), (23, 0), (-1, 1)] {
      let found = known.probabilities(at: SIMD3(i, 5, 4))
      #expect(abs(found[1] - expected) < 1e-6, "\(i)")
      #expect(abs(found[0] + found[1] - 1) < 1e-6)
      #expect(known.probability(of: 1, at: SIMD3(i, 5, 4)) == found[1])
      let entropy = found.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) } / log(2)
      #expect(abs(known.entropy(at: SIMD3(i, 5, 4)) - entropy) < 1e-12)
    }
    #expect(known.entropy(at: SIMD3(11, 0, 0)) > 0.999)
    #expect(known.position(of: 1) == 1 && known.position(of: 6) == nil)
  }

  @Test("a network's grid may run the other way along the image's axes")
  func flipped() {
    let image = grid(GridSize(8, 6, 4), .lps)
    let own = grid(GridSize(8, 6, 4), .ras)
    // Opposite directions from the same origin overlap in one voxel only; shift it to cover the same space.
    var affine = own.affine
    affine.origin = image.affine.world(VoxelIndex(7, 5, 0))
    let values = (0..<own.size.voxelCount).map { Float(own.size.index(offset: $0).i) / 7 }
    let known = VersionProbabilities(
      ProbabilityVolume(
        grid: VolumeGrid(size: own.size, affine: affine), classCount: 2,
        values: values.map { 1 - $0 } + values),
      labelValues: [0, 3], on: image)
    for i in 0..<8 {
      #expect(abs(known.probability(of: 1, at: SIMD3(Double(i), 2, 1)) - Double(7 - i) / 7) < 1e-6)
    }
  }

  @Test("% shows the probability of the selected label, then the entropy, then neither, with a scale")
  func maps() throws {
    var state = try mappedState()
    state.selectedLabel = "liver"
    var seen: [String] = []
    for _ in 0..<3 {
      state.type("%")
      seen.append(state.message?.text ?? "")
      let line = render(state).text[21]
      #expect(line.contains("0 █████ 1") == (state.view.map != .off))
    }
    #expect(seen == ["probability of Liver", "entropy", "no map"])
  }

  @Test("the map covers the image more for larger values, and not at all where the value is about 0")
  func colours() throws {
    var state = try mappedState()
    state.type("xX|")
    state.selectedLabel = "liver"
    let plain = shown(state)
    state.type("%")
    let mapped = shown(state)
    let pane = state.layout.panes[0]
    let projection = state.projection(pane)
    let known = pretendedProbabilities(for: state.content)
    var differing = 0
    for column in 0..<pane.picture.columns {
      let (row, i) = (pane.picture.row, projection.horizontalIndex(atPixel: Double(column) + 0.5))
      guard !projection.columns[column].isEmpty else { continue }
      let value = known.probability(of: 1, at: SIMD3(i, 0, Double(state.view.crosshair.k)))
      guard (0..<projection.height).contains(2 * 2), !projection.rows[4].isEmpty else { continue }
      let isChanged =
        plain[row + 2, pane.picture.column + column] != mapped[row + 2, pane.picture.column + column]
      if value < 0.019 { #expect(!isChanged) }
      if value > 0.05 { #expect(isChanged) }
      differing += isChanged ? 1 : 0
    }
    #expect(differing > 5)
  }

  @Test("the voxel line has the network's probability of the label at the crosshair")
  func voxelLine() throws {
    var state = try mappedState(24, 120)
    state.view.crosshair = VoxelIndex(4, 8, 6)
    #expect(render(state).text[20].contains("B ■ Liver 0.82"))
    state.view.crosshair = VoxelIndex(22, 18, 14)
    #expect(render(state).text[20].contains("B background 1.00"))
  }

  @Test("without probabilities in memory there is no map but a message")
  func unavailable() throws {
    var state = try openedState()
    state.type("%")
    let text = "no probabilities of the version shown: its network did not run in this session (m runs one)"
    #expect(state.message == Message(text, .warning))
    try state.runNetwork()
    let id = try #require(state.jobs[.probabilities]?.id)
    let effects = reduce(&state, .jobEnded(id, .finished(ProbabilitiesJob.self, with: nil)))
    // The probabilities are not requested repeatedly.
    #expect(effects.started(ProbabilitiesJob.self) == nil)
    state.type("%")
    #expect(state.view.map == .off)
    #expect(state.dialog == .question(.runAgain(try #require(state.decisions.b))))
  }

  /// The network's version as it comes back with a journal: its probabilities are not in memory.
  private func restored() throws -> ReviewState {
    var state = try openedState(screen: ScreenSize(rows: 24, columns: 120))
    try state.runNetwork()
    let id = try #require(state.jobs[.probabilities]?.id)
    _ = reduce(&state, .jobEnded(id, .finished(ProbabilitiesJob.self, with: nil)))
    let job = try #require(state.running(UncertaintyJob.self))
    let outcome = SliceUncertainty(source: job.source, entropies: nil, failure: "not in memory")
    let uncertainty = try #require(state.jobs[.uncertainty]?.id)
    _ = reduce(&state, .jobEnded(uncertainty, .finished(UncertaintyJob.self, with: outcome)))
    return state
  }

  @Test(
    "a version whose probabilities are not in memory says so, and % and ! ask whether its network should run again"
  )
  func runsAgain() throws {
    for key in ["%", "!"] {
      var state = try restored()
      let version = try #require(state.shownVersion)
      state.view.crosshair = VoxelIndex(4, 8, 6)
      #expect(render(state).text[20].contains("B ■ Liver %?"))
      state.type(key)
      #expect(state.dialog == .question(.runAgain(version.id)))
      #expect(render(state).text.contains { $0.contains("liver network ran in an earlier session") })
      var refused = state
      refused.type("n")
      #expect(refused.jobs[.computedProbabilities] == nil && refused.dialog == nil)
      state.type("y")
      let job = try #require(state.jobs[.computedProbabilities])
      #expect(render(state).text[22].contains("running liver network again"))
      state.type(key)
      #expect(state.message == Message("still running liver network again"))
      let effects = reduce(
        &state,
        .jobEnded(
          job.id,
          .finished(ComputedProbabilitiesJob.self, with: pretendedProbabilities(for: state.content))))
      #expect(effects.started(UncertaintyJob.self) != nil)
      #expect(
        state.message
          == Message(
            "the probabilities of liver network are in memory: % shows them, ! goes to uncertain slices"))
      #expect(render(state).text[20].contains("B ■ Liver 0.82"))
      state.type("%")
      #expect(state.view.map == .probability)
      #expect(state.decisions.versions.count == 2)
    }
  }

  @Test("a stopped run leaves the probabilities unknown, and a refinement that needed them makes them known")
  func computedOtherwise() throws {
    var state = try restored()
    state.type("%y")
    state.press(.escape)
    #expect(state.jobs[.computedProbabilities] == nil)
    #expect(state.message == Message("stopped liver network; its probabilities are not in memory"))
    #expect(state.probabilities.values.allSatisfy { $0 == .notInMemory })
    state.type("t")
    let job = try #require(state.jobs[.preview])
    let request = try #require(state.running(PreviewJob.self)?.request)
    let part = try request.result(try #require(state.refinementBase).labels.volume)
    let effects = reduce(&state, .jobEnded(job.id, .finished(PreviewJob.self, with: part)))
    #expect(effects.started(ProbabilitiesJob.self) != nil)
    #expect(effects.started(UncertaintyJob.self) != nil)
  }

  /// Two readers' masks, and a file of probabilities for the image.
  private func withFile() throws -> ReviewState {
    var state = try comparedState(24, 120)
    state.request.probabilitiesPath = "p.npz"
    state.type("x")
    return state
  }

  @Test("masks have the probabilities of the file that was given with the image, which is read once for both")
  func file() throws {
    var state = try withFile()
    let source = ProbabilitySource.file(path: "p.npz")
    #expect(state.running(ProbabilitiesJob.self)?.source == source)
    state.type("%")
    #expect(state.message == Message("still reading the probabilities"))
    try state.fetchPretendedProbabilities()
    #expect(state.jobs[.probabilities] == nil && state.probabilities.count == 1)
    state.type("%")
    #expect(state.view.map == .probability)
    state.view.crosshair = VoxelIndex(0, 0, 0)
    // The outermost voxel is background in both masks, and certainly not so in the file.
    #expect(render(state).text[20].contains("A background 0.00  B background 0.00"))
  }

  @Test(
    "a file that cannot be read is read again when % asks, then without a limit of its own, and says why not")
  func failingFile() throws {
    var state = try withFile()
    let job = try #require(state.jobs[.probabilities])
    _ = reduce(&state, .jobEnded(job.id, .failed("p.npz: takes much memory")))
    #expect(state.message?.text != "p.npz: takes much memory")
    #expect(state.jobs[.probabilities] == nil)
    state.type("%")
    #expect(state.running(ProbabilitiesJob.self)?.isRequestedByReviewer == true)
    let asked = try #require(state.jobs[.probabilities])
    var failed = state
    _ = reduce(&failed, .jobEnded(asked.id, .failed("p.npz: does not fit in memory")))
    #expect(failed.message == Message("p.npz: does not fit in memory", .error))
    try state.fetchPretendedProbabilities()
    #expect(state.message == Message("the probabilities are in memory: % shows them"))
  }

  @Test("without a version on the screen % says what to do")
  func noVersion() throws {
    var state = try openedState(phantomCase(withMask: false))
    state.type("%")
    #expect(
      state.message == Message("no map without a mask: m runs a network, :mask opens one", .warning))
  }

  @Test("probabilities of versions that are neither A nor B are dropped")
  func dropped() throws {
    var state = try mappedState()
    #expect(state.probabilities.count == 1)
    state.decisions.b = nil
    state.type("x")
    #expect(state.probabilities.isEmpty)
  }
}

@Suite struct VoxelLineTests {
  @Test(
    "the voxel line names the label of every version, and leaves out the least important parts where it is narrow"
  )
  func labels() throws {
    var state = try comparedState(24, 160)
    state.view.crosshair = VoxelIndex(13, 6, 28)
    for (id, name) in [(7, "third"), (8, "fourth")] {
      let version = state.decisions.versions[0]
      state.decisions.versions.append(
        Version(
          id: VersionID(id), name: name, origin: version.origin, labels: version.labels, table: version.table,
          components: version.components))
    }
    func line(_ columns: Int) -> String {
      state.screen = ScreenSize(rows: 24, columns: columns)
      return render(state).text[20].trimmingCharacters(in: .whitespaces)
    }
    let position = "ijk 13 6 28  RAS 52.0 24.0 112.0 mm"
    let intensity = line(160).contains("  HU ") ? "HU" : "I"
    #expect(line(160).hasPrefix("\(position)  \(intensity) "))
    #expect(
      line(160).hasSuffix("A background  B ■ stomach  third background  fourth background"))
    #expect(line(100).hasSuffix("B ■ stomach  third background"))
    #expect(line(80).hasSuffix("A background  B ■ stomach"))
    #expect(line(80).hasPrefix(position))
    #expect(line(62).hasPrefix("ijk 13 6 28  \(intensity) "))
    #expect(line(62).hasSuffix("A background  B ■ stomach"))
    for columns in 60...160 { #expect(line(columns).contains("B ■ stomach")) }
  }

  @Test("with one version the line says label, and without any a dash")
  func fewer() throws {
    var one = try openedState()
    one.view.crosshair = VoxelIndex(8, 8, 6)
    #expect(render(one).text[20].contains("label ■ liver"))
    #expect(render(try openedState(phantomCase(withMask: false))).text[20].contains("label -"))
  }
}
