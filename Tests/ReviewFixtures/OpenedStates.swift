import Review
import Screen
import Volumes
import Work

/// A terminal with 24-bit colour and Unicode.
package let trueColour = TerminalCapabilities(colourDepth: .trueColour, showsUnicode: true)

/// The state of a case that was just read, and the effects of opening it.
private func session(
  _ content: ReviewCase, firstVersionNumber: Int? = nil, _ screen: ScreenSize,
  _ capabilities: TerminalCapabilities
) throws -> (state: ReviewState, effects: [ReviewEffect]) {
  var request = OpenCaseRequest(imagePath: "case-1.nii.gz")
  if let firstVersionNumber { request.firstVersionNumber = firstVersionNumber }
  var state = ReviewState(request: request, screen: screen, capabilities: capabilities)
  _ = state.begin()
  let opened = OpenedCase(
    content: content, intensities: IntensitySummary(content.image),
    maskComponents: try content.masks.map { try LabelComponents($0.labels, work: WorkContext()) })
  let effects = reduce(&state, .jobEnded(JobID(1), .finished(OpeningJob.self, with: opened)))
  return (state, effects)
}

/// A state in which `content` was just opened, with the content of its journal; nil for a journal that is not read yet.
package func openedState(
  _ content: ReviewCase = phantomCase(), screen: ScreenSize = ScreenSize(rows: 24, columns: 80),
  capabilities: TerminalCapabilities = trueColour, journal: OpenedJournal? = OpenedJournal()
) throws -> ReviewState {
  let begun = try session(content, screen, capabilities)
  var state = begun.state
  if let journal, let id = begun.effects.started(.journal) {
    _ = reduce(&state, .jobEnded(id, .finished(JournalJob.self, with: journal)))
  }
  return state
}

/// A state in which the phantom was just opened as a session of its own, before its journal was read.
package func laterSession(
  _ content: ReviewCase = phantomCase(), firstVersionNumber: Int = 1000
) throws -> ReviewState {
  try session(
    content, firstVersionNumber: firstVersionNumber, ScreenSize(rows: 24, columns: 80), trueColour
  ).state
}

/// A state in which both readers' masks are open and were compared.
package func comparedState(
  _ rows: Int, _ columns: Int, _ capabilities: TerminalCapabilities = trueColour
) throws -> ReviewState {
  let begun = try session(twoReaders(), ScreenSize(rows: rows, columns: columns), capabilities)
  var state = begun.state
  try state.finishComparison()
  return state
}

extension ReviewState {
  /// Ends the jobs that look for differences and for islands.
  package mutating func finishSpatialComparison() throws {
    if let job = jobs[.spatialComparison], let request = running(SpatialComparisonJob.self)?.request {
      _ = reduce(
        &self,
        .jobEnded(
          job.id, .finished(SpatialComparisonJob.self, with: try SpatialComparison(request, WorkContext()))))
    }
    if let job = jobs[.islands], let request = running(IslandsJob.self)?.request {
      _ = reduce(
        &self, .jobEnded(job.id, .finished(IslandsJob.self, with: try Islands(request, WorkContext()))))
    }
  }

  /// Ends the jobs that measure distances between borders.
  package mutating func finishMeasuring() throws {
    while let job = jobs[.surfaceDistances], var measured = running(SurfaceDistanceJob.self)?.measured {
      try measured.measure(for: 0, WorkContext(threadCount: 1))
      _ = reduce(&self, .jobEnded(job.id, .finished(SurfaceDistanceJob.self, with: measured)))
    }
  }

  /// Ends the job that compares A and B, and those that follow.
  package mutating func finishComparison() throws {
    guard let job = jobs[.comparison], let request = running(ComparisonJob.self)?.request else { return }
    _ = reduce(
      &self, .jobEnded(job.id, .finished(ComparisonJob.self, with: try Comparison(request, WorkContext()))))
    try finishSpatialComparison()
  }
}
