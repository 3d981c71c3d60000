import Foundation
import Volumes
import Work

/// The middle slice of an image that is not open, to recognise it by.
package struct FilePreview: Equatable, Sendable {
  /// The slice, on a grid of its own with one voxel across it.
  package var slice: ScalarVolume
  /// The voxel axis across the slice.
  package var sliceAxis: Int
  /// The window in which a review would open the image; of a large image, from the slice alone.
  package var window: IntensityWindow
  /// The image in a few words: "512x512x300, 0.703x0.703x1 mm, CT, 16-bit".
  package var summary: String

  package init(slice: ScalarVolume, sliceAxis: Int = 2, window: IntensityWindow, summary: String) {
    (self.slice, self.sliceAxis, self.window, self.summary) = (slice, sliceAxis, window, summary)
  }
}

/// The preview of the candidate that is pointed at.
struct CandidatePreview: Equatable, Sendable {
  enum Content: Equatable, Sendable {
    case reading
    case picture(FilePreview)
    /// It cannot be read, for this reason in one line.
    case problem(String)
    /// It is a folder that is not an image.
    case nothing
  }

  /// The path as it was typed.
  var path: String
  var content = Content.reading
}

/// Reads the preview of a file or folder.
package struct FilePreviewJob: Job {
  package static let kind = JobKind.filePreview
  /// The path as it was typed.
  package var path: String

  /// The pause without keys after which a file is opened.
  private static let pauseSeconds = 0.08

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> FilePreview? {
    // While a key is held, every step ends the job of the step before it, and no file is opened.
    let start = ContinuousClock.now
    while (ContinuousClock.now - start) / .seconds(1) < Self.pauseSeconds {
      try work.checkCancellation()
      Thread.sleep(forTimeInterval: 0.005)
    }
    return try environment.services.preview(of: path, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: FilePreview?) -> [ReviewEffect] {
    state.receive(outcome.map { .picture($0) } ?? .nothing, ofPreview: path)
    return []
  }

  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.receive(.problem(line), ofPreview: path)
    return []
  }

  package func reduceCancellation(_ state: inout ReviewState) -> [ReviewEffect] {
    state.receive(.nothing, ofPreview: path)
    return []
  }
}
