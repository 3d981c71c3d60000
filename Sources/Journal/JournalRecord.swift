import Foundation

/// What one thing that happened leaves in a journal.
package struct JournalRecord: Equatable, Sendable {
  /// JSON that says what happened.
  package var text: Data
  /// Voxels that belong to it; empty for none.
  package var voxels: Data

  /// A record.
  package init(text: Data, voxels: Data = Data()) {
    self.text = text
    self.voxels = voxels
  }
}
