import Foundation
import Journal
import Volumes

/// One reader's decisions about a case so far.
package struct CaseDecision: Equatable, Sendable {
  /// A verdict about a case.
  package enum Verdict: String, Equatable, Sendable, CaseIterable {
    case accepted, rejected
    case needsWork = "needs work"
  }

  /// The mask that was accepted.
  package struct Version: Equatable, Sendable {
    /// The version's name in the review.
    package var name: String
    /// The file that it was exported to; nil where it was not.
    package var exportedPath: String?
    /// The ``fingerprint(of:)`` of its labels; nil in records of earlier programs.
    package var fingerprint: String?

    package init(name: String, exportedPath: String? = nil, fingerprint: String? = nil) {
      self.name = name
      self.exportedPath = exportedPath
      self.fingerprint = fingerprint
    }

    /// The size and position of a label of a mask.
    package struct LabelExtent: Equatable, Sendable {
      /// The label's value in the file.
      package var value: Int
      package var voxelCount: Int
      package var bounds: VoxelBounds

      package init(value: Int, voxelCount: Int, bounds: VoxelBounds) {
        (self.value, self.voxelCount, self.bounds) = (value, voxelCount, bounds)
      }
    }

    /// A fingerprint that changes when a mask is replaced: eight hexadecimal digits, the CRC-32 of the value, voxel
    /// count and box of every label.
    /// - Complexity: O(n log n) in labels.
    package static func fingerprint(of labels: [LabelExtent]) -> String {
      let numbers = labels.sorted { $0.value < $1.value }.flatMap { label in
        let (lower, upper) = (label.bounds.lower, label.bounds.upper)
        return [label.value, label.voxelCount, lower.i, lower.j, lower.k, upper.i, upper.j, upper.k].map {
          Int64($0).littleEndian
        }
      }
      return String(format: "%08x", CRC32.checksum(of: numbers.withUnsafeBytes { Data($0) }))
    }
  }

  /// The verdict; nil where there is none, or it was withdrawn.
  package var verdict: Verdict?
  /// Whether the case is marked for another look, beside any verdict.
  package var isFlagged: Bool
  /// A score of ``scores``; nil for none.
  package var score: Int?
  /// The reader's comment; empty for none.
  package var comment: String
  /// Words that the reader gave the case.
  package var tags: [String]
  /// The time that the reader spent on the case, in seconds.
  package var seconds: Double
  /// The accepted version; nil where none is accepted.
  package var version: Version?
  /// The pairs of labels that the reader chose or confirmed, for each pair of masks.
  package var pairings: [MaskPairing]

  /// The possible scores.
  package static let scores = 1...5

  /// No decision, unless given.
  package init(
    verdict: Verdict? = nil, isFlagged: Bool = false, score: Int? = nil, comment: String = "",
    tags: [String] = [],
    seconds: Double = 0, version: Version? = nil, pairings: [MaskPairing] = []
  ) {
    self.verdict = verdict
    self.isFlagged = isFlagged
    self.score = score
    self.comment = comment
    self.tags = tags
    self.seconds = seconds
    self.version = version
    self.pairings = pairings
  }

  /// Whether the reader decided about the case: gave it a verdict.
  package var isDecided: Bool { verdict != nil }

  /// Whether there is a verdict, a flag or a score.
  package var isAssessed: Bool { verdict != nil || isFlagged || score != nil }
}
