import Volumes
import Work

extension ReviewState {
  /// Starts the export of a version, with a message where an export is running or there is no version to export.
  ///
  /// - Parameters:
  ///   - path: The file; nil for the case's default.
  ///   - id: The version; nil for the accepted one.
  mutating func export(
    to path: String?, version id: VersionID?, replacesExisting: Bool = false, quitsAfterwards: Bool = false
  ) -> [ReviewEffect] {
    guard jobs[.export] == nil else {
      message = Message("an export is running", .warning)
      return []
    }
    guard let version = (id ?? decisions.verdicts.accepted).flatMap({ version($0) }) else {
      message = Message("nothing is accepted yet: y accepts the version shown", .warning)
      return []
    }
    let request = ExportRequest(
      labels: version.labels, table: version.table, imagePath: content.imagePath,
      path: path ?? defaultExportPath, replacesExisting: replacesExisting,
      provenance: provenance(of: version))
    return [start(ExportJob(request: request, version: version, quitsAfterwards: quitsAfterwards))]
  }

  /// The case's default path of an export, with a number after `_seg` where a mask of the case has that name: a file that
  /// was opened is never replaced.
  private var defaultExportPath: String {
    let suffix = ".nii.gz"
    guard content.exportPath.hasSuffix(suffix) else { return content.exportPath }
    let stem = content.exportPath.dropLast(suffix.count)
    let opened = decisions.versions.compactMap { version -> String? in
      guard case .mask(let path) = version.origin else { return nil }
      return path
    }
    let files = opened + request.maskPaths.map { FilePath.absolute($0) }
    let stems = [String(stem)] + (2...files.count + 2).map { "\(stem)\($0)" }
    // The record and the names of labels beside a mask belong to it, whatever its format.
    let free = stems.first { stem in !files.contains { $0.hasPrefix(stem + ".") } }
    return (free ?? String(stem)) + suffix
  }

  package func provenance(of version: Version) -> Provenance {
    let (steps, first) = Provenance.steps(to: version.id) {
      self.version($0)?.origin
    } changedVoxels: { id, base in
      guard let own = self.version(id), let base = self.version(base) else { return 0 }
      return own.labels.differingVoxelCount(from: base.labels)
    }
    var merged: [LabelSelection] = []
    if case .mask(let path)? = steps.first {
      merged = content.masks.first { $0.path == path }?.merged ?? []
    }
    let isComputed = steps.contains {
      switch $0 {
      case .network, .refinement: true
      case .mask, .edit: false
      }
    }
    return Provenance(
      steps: steps, firstVersion: first, versionName: version.name,
      verdict: decisions.verdicts[version.id]?.rawValue, isCaseFlagged: decisions.verdicts.isFlagged,
      frame: isComputed ? version.frame : content.frame, merged: merged)
  }
}
