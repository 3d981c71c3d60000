import CustomDump
import Review
import Volumes

// How large parts of a state read in a difference: a few words that differ where the values do.

extension ScalarVolume: CustomDumpRepresentable {
  package var customDumpValue: Any { "\(grid.size) voxels, hash \(voxels.hashValue)" }
}

extension ChunkedLabels: CustomDumpRepresentable {
  package var customDumpValue: Any {
    let counts = Dictionary(grouping: voxels, by: \.self).sorted { $0.key < $1.key }
      .map { "\($0.value.count) of \($0.key)" }
    return "\(grid.size) voxels: \(counts.joined(separator: ", "))"
  }
}

extension LabelComponents: CustomDumpRepresentable {
  package var customDumpValue: Any { statistics }
}

extension IntensitySummary: CustomDumpRepresentable {
  package var customDumpValue: Any { presets }
}
