import Foundation

/// A record of a journal: one event.
package struct JournalRecord: Equatable, Sendable {
  /// JSON that describes the event.
  package var text: Data
  /// Encoded voxels of the event; empty for none.
  package var voxels: Data

  package init(text: Data, voxels: Data = Data()) {
    self.text = text
    self.voxels = voxels
  }
}
