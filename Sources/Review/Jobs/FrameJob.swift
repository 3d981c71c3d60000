import Volumes
import Work

/// Another frame of the image to be read.
package struct FrameRequest: Equatable, Sendable {
  package var imagePath: String
  /// The index of the frame, from 0.
  package var frame: Int
  /// The grid that the frame must lie on: that of the frame shown.
  package var grid: VolumeGrid
}

/// A frame of the image.
package struct ReadFrame: Equatable, Sendable {
  /// The index of the frame, from 0.
  package var frame: Int
  /// Its voxels.
  package var image: ScalarVolume
  package var intensities: IntensitySummary

  package init(frame: Int, image: ScalarVolume) {
    self.frame = frame
    self.image = image
    intensities = IntensitySummary(image)
  }
}

/// Reads another frame of the image.
package struct FrameJob: Job {
  package static let kind = JobKind.frame
  package var request: FrameRequest

  package var title: String? { "reading frame \(request.frame)" }

  package var stoppedText: String { "stopped reading the frame" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> ReadFrame {
    ReadFrame(frame: request.frame, image: try environment.services.read(request, work))
  }

  /// Shows the frame; crosshair, window and versions stay.
  ///
  /// Everything that depends on the image is computed again.
  package func reduce(_ state: inout ReviewState, _ outcome: ReadFrame) -> [ReviewEffect] {
    state.content.image = outcome.image
    state.content.frame = outcome.frame
    state.view.frame = outcome.frame
    state.intensities = outcome.intensities
    state.models = nil
    state.measures = nil
    if let text = state.frameText { state.appendMessage(text) }
    let effects = state.cancel(.models) + state.cancel(.measurement)
    guard state.focus == .refinement else { return effects }
    return effects + state.stopLive() + state.beginRefining()
  }
}
