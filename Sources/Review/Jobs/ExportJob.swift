import Volumes
import Work

/// A mask to be written.
package struct ExportRequest: Equatable, Sendable {
  package var labels: ChunkedLabels
  /// Names and colours of ``labels``.
  package var table: LabelTable
  /// The image from which the file gets its grid and the geometry fields of the header.
  package var imagePath: String
  /// The destination: the typed path, or the case's default.
  package var path: String
  /// Whether an existing file may be replaced; the files that were opened never are.
  package var replacesExisting: Bool
  /// The provenance of the labels.
  package var provenance: Provenance

  package init(
    labels: ChunkedLabels, table: LabelTable, imagePath: String, path: String, replacesExisting: Bool,
    provenance: Provenance
  ) {
    self.labels = labels
    self.table = table
    self.imagePath = imagePath
    self.path = path
    self.replacesExisting = replacesExisting
    self.provenance = provenance
  }
}

package enum ExportOutcome: Equatable, Sendable {
  /// Written, with the full path, notes about the source files, one line each, and the path of the DICOM segmentation that
  /// was written too.
  case written(path: String, notes: [String] = [], segmentation: String? = nil)
  /// Nothing was written because these files exist and the request did not allow replacing them.
  case exists(paths: [String])
}

/// Writes a version as a mask, with its record.
package struct ExportJob: Job {
  package static let kind = JobKind.export
  /// The labels, their names and the destination.
  package var request: ExportRequest
  /// The version that is written, as it was when the job began.
  package var version: Version
  /// Whether the session ends when it is written.
  package var quitsAfterwards: Bool

  package var title: String? { "exporting" }

  package var stoppedText: String { "stopped the export; nothing was written" }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> ExportOutcome {
    try environment.services.export(request, work)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: ExportOutcome) -> [ReviewEffect] {
    switch outcome {
    case .written(let written, let notes, let segmentation):
      // The file may have held another version before.
      state.files = state.files.filter { $0.value.path != written }
      let id = state.renumbered[version.id] ?? version.id
      state.files[id] = WrittenVersion(path: written, version: version)
      let also = segmentation.map { " and \(FilePath.name(of: $0))" } ?? ""
      let line = (["exported \(written)\(also)"] + notes).joined(separator: "; ")
      state.message = Message(line, notes.isEmpty ? .note : .warning)
      return quitsAfterwards && notes.isEmpty ? state.quit() : []
    case .exists(let existing):
      state.dialog = .question(
        .replaceFiles(
          existing: existing, path: request.path, version: version.id, quitsAfterwards: quitsAfterwards))
      return []
    }
  }
}
