import Foundation
import Volumes

/// A defect of a file and the repair with which it was read.
package struct Finding: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The defect: "scl_slope is nan".
  package var problem: String
  /// The repair: "voxels are not scaled".
  package var repair: String

  package init(_ problem: String, repair: String) {
    self.problem = problem
    self.repair = repair
  }

  /// "scl_slope is nan; voxels are not scaled".
  package var description: String { "\(problem); \(repair)" }
}

extension Finding {
  /// The finding that 255 is the only value of a mask besides 0, with the label that it is read as; nil for any other
  /// mask.
  /// - Parameter values: Those that the mask holds.
  package init?(ofOnly255 values: Set<Int>, coding: LabelCoding) {
    guard values.subtracting([0]) == [255] else { return nil }
    self.init(
      "stored as 255, its only value besides 0",
      repair: coding.readsOnly255AsOne
        ? "read as label 1 and written as 255" : "it stays 255, because another mask holds other labels")
  }

  /// The finding that axes are not perpendicular, as in a CT with a tilted gantry; nil where each pair is to half a
  /// degree: less displaces by less than a hundredth of a length.
  init?(axesOf affine: Affine) {
    let pairs: [(names: String, degrees: Double)] = [("i and j", 0, 1), ("i and k", 0, 2), ("j and k", 1, 2)]
      .map {
        ("\($0)", acos(min(max(affine.cosine($1, $2), -1), 1)) * 180 / .pi)
      }
    let oblique = pairs.filter { abs($0.degrees - 90) > 0.5 }
    guard !oblique.isEmpty else { return nil }
    let angles = oblique.map { "\($0.names) meet at \(String(format: "%.1f", $0.degrees)) degrees" }
    self.init(
      "the axes \(angles.joined(separator: ", "))",
      repair:
        "volumes, positions and distances are exact; planes are drawn, and the network and the CRF work, as if "
        + "the axes were perpendicular")
  }
}
