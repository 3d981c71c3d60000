import Screen
import Volumes

/// Names one job within a session.
package struct JobID: Hashable, Sendable {
  /// From 1.
  package var number: Int

  /// The id.
  package init(_ number: Int) { self.number = number }
}

/// What a job works on; a newer job cancels the older one of its kind.
package enum JobKind: Hashable, Sendable, CaseIterable {
  case opening, models, segmentation, refinement, preview, following, measurement, presets, comparison, export
  case frame, memory, journal
}

/// What a job is asked to do.
package enum JobRequest: Equatable, Sendable {
  case open(OpenCaseRequest)
  case models(ScalarVolume)
  case segment(SegmentationRequest)
  case refine(RefinementRequest)
  /// A refinement of a box, shown until the knobs move on.
  case preview(RefinementRequest)
  /// A refinement of all of the image, which follows a preview when the knobs have come to rest.
  case follow(RefinementRequest)
  case measure(RefinementRequest)
  /// The saved presets; with one to save first.
  case presets(saving: NamedKernels?, replacesExisting: Bool = false)
  case compare(ComparisonRequest)
  /// What the reviewer said of two versions' labels, for the same files another time.
  case remember([UInt16: UInt16]?, of: PairingMemory)
  /// Another frame of the image.
  case read(FrameRequest)
  case export(ExportRequest)
  /// What earlier sessions did with this image.
  case journal(ReviewCase)

  /// Its kind.
  package var kind: JobKind {
    switch self {
    case .open: .opening
    case .models: .models
    case .segment: .segmentation
    case .refine: .refinement
    case .preview: .preview
    case .follow: .following
    case .measure: .measurement
    case .presets: .presets
    case .compare: .comparison
    case .remember: .memory
    case .read: .frame
    case .export: .export
    case .journal: .journal
    }
  }
}

/// How a job ended.
package enum JobOutcome: Equatable, Sendable {
  case opened(OpenedCase)
  case models([ModelDescription])
  case segmented(SegmentationResult, LabelComponents)
  case refined(RefinedPart)
  case measured(ImageMeasures?)
  case presets([NamedKernels])
  /// Nothing was saved because there are kernels of this name already.
  case kernelsExist(NamedKernels)
  case compared(Comparison)
  case remembered
  case read(ReadFrame)
  case exported(ExportOutcome)
  case journalOpened(OpenedJournal)
  case cancelled
  /// One line.
  case failed(String)
}

/// A case with what was counted while it was read.
package struct OpenedCase: Equatable, Sendable {
  /// The case.
  package var content: ReviewCase
  /// Its intensities.
  package var intensities: IntensitySummary
  /// The labels of each mask.
  package var maskComponents: [LabelComponents]

  /// An opened case.
  package init(content: ReviewCase, intensities: IntensitySummary, maskComponents: [LabelComponents]) {
    self.content = content
    self.intensities = intensities
    self.maskComponents = maskComponents
  }
}

/// A job under way.
package struct RunningJob: Equatable, Sendable {
  /// What its result is for.
  package enum Purpose: Equatable, Sendable {
    case opening
    case models
    case segmentation(ModelDescription, frame: Int)
    case refinement(base: VersionID, KnobSettings, frame: Int)
    case preview(base: VersionID, KnobSettings)
    case following(base: VersionID, KnobSettings)
    case measurement(base: VersionID)
    case presets(saved: String?)
    case comparison
    case memory
    case frame(Int)
    case journal
    case export(Version, path: String, quitsAfterwards: Bool)
  }

  /// Where the crosshair was when it began.
  package var crosshair = VoxelIndex(0, 0, 0)
  /// Its id; events of other ids are late and ignored.
  package var id: JobID
  /// What its result is for.
  package var purpose: Purpose
  /// Share done, 0...1.
  package var fraction: Double
  /// Seconds since it began.
  package var elapsedSeconds: Double

  /// What the message line calls it; nil for work that goes unmentioned.
  var title: String? {
    switch purpose {
    case .opening: "opening"
    case .models: nil
    case .segmentation(let model, _): "running \(cleaned(model.name))"
    case .refinement: "refining with the CRF"
    case .preview, .following, .measurement, .presets, .comparison, .memory, .journal: nil
    case .frame(let frame): "reading frame \(frame)"
    case .export: "exporting"
    }
  }

  /// What is said when the reviewer stops it.
  var stoppedText: String {
    switch purpose {
    case .segmentation(let model, _): "stopped \(cleaned(model.name)); no version was added"
    case .refinement: "stopped the CRF; no version was added"
    case .export: "stopped the export; nothing was written"
    case .frame: "stopped reading the frame"
    default: "stopped"
    }
  }

  /// Seconds still to go at the pace so far, once that means something.
  var remainingSeconds: Double? {
    guard fraction > 0.02, elapsedSeconds > 0.5 else { return nil }
    return elapsedSeconds * (1 - fraction) / fraction
  }
}

/// Everything that changes a review's state.
package enum ReviewEvent: Equatable, Sendable {
  /// From the terminal.
  case terminal(TerminalEvent)
  /// A job did another share of its work.
  case jobProgressed(JobID, fraction: Double, elapsedSeconds: Double)
  /// A job ended.
  case jobEnded(JobID, JobOutcome)
  /// The journal could not be written, with the line that says why; nil when it could again.
  case journalFailed(String?)
}

/// What a change of state asks the world to do.
package enum ReviewEffect: Equatable, Sendable {
  /// Starts a job, and cancels an older one of its kind.
  case start(JobID, JobRequest)
  /// Asks a job to stop; it still ends with an event.
  case cancel(JobID)
  /// Writes what happened to the journal.
  case note(JournalEntry)
}
