import Volumes

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
      path: path ?? content.exportPath, replacesExisting: replacesExisting,
      provenance: provenance(of: version))
    return [start(ExportJob(request: request, version: version, quitsAfterwards: quitsAfterwards))]
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
