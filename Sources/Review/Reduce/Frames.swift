import Screen
import Volumes

extension Action {
  /// Steps through the frames of an image.
  package enum FrameStep: ActionGroup {
    case change(Int)

    static let bindings: [KeyBinding] = [
      KeyTable.bind(.picture, [")"], .frame(.change(1)), "next frame of an image that has several"),
      KeyTable.bind(.picture, ["("], .frame(.change(-1)), "previous frame"),
    ]
  }
}

extension ReviewState {
  /// "frame 3 of 0-29"; nil where the image has one frame.
  var frameText: String? {
    content.frameCount > 1 ? "frame \(content.frame) of 0-\(content.frameCount - 1)" : nil
  }

  /// Performs a step through the frames.
  mutating func stepFrames(_ step: Action.FrameStep) -> [ReviewEffect] {
    switch step {
    case .change(let count): changeFrame(by: count)
    }
  }

  /// Reads the frame that lies `count` frames after the current one, or after the one that is being read.
  private mutating func changeFrame(by count: Int) -> [ReviewEffect] {
    var frame = content.frame
    if let coming = running(FrameJob.self) { frame = coming.request.frame }
    return goTo(frame: min(max(0, frame + count), content.frameCount - 1))
  }

  /// Starts reading a frame of the image; the panes show the current one until it is read.
  mutating func goTo(frame: Int) -> [ReviewEffect] {
    guard content.frameCount > 1 else {
      message = Message("the image has one frame", .warning)
      return []
    }
    guard (0..<content.frameCount).contains(frame) else {
      message = Message("frame \(frame): the frames are 0 to \(content.frameCount - 1)", .error)
      return []
    }
    guard frame != content.frame else { return cancel(.frame) }
    let request = FrameRequest(imagePath: content.imagePath, frame: frame, grid: grid)
    return [start(FrameJob(request: request))]
  }

  /// Warns where the CRF reads another frame than the shown one.
  mutating func noteFrameOfRefinement() {
    guard let base = refinementBase, base.probabilities != nil, base.frame != content.frame else { return }
    message = Message("\(cleaned(base.name)) is of frame \(base.frame): the CRF reads that one", .warning)
  }
}
