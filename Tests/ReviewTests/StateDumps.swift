import CustomDump
import Review
import Volumes

// Short texts for large parts of a state in a difference; different values have different texts.

extension ScalarVolume: CustomDumpRepresentable {
  package var customDumpValue: Any { "\(grid.size) voxels, hash \(Array(voxels).hashValue)" }
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
