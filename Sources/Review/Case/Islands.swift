import Volumes
import Work

/// A label whose connected components are to be found.
package struct IslandsRequest: Equatable, Sendable {
  var labels: ChunkedLabels
  var value: UInt16
  /// The labels of the version that it is compared with, and the value there; nil where there is none.
  var other: ChunkedLabels?
  var otherValue: UInt16?

  package init(labels: ChunkedLabels, value: UInt16, other: ChunkedLabels?, otherValue: UInt16?) {
    (self.labels, self.value, self.other, self.otherValue) = (labels, value, other, otherValue)
  }

  /// Whether both ask for the same label of the same masks in memory.
  ///
  /// It is asked after every key, which must not wait until all voxels of two masks that are nearly equal are compared.
  func isIdentical(to request: IslandsRequest?) -> Bool {
    guard let request else { return false }
    return (value, otherValue) == (request.value, request.otherValue)
      && labels.isIdentical(to: request.labels) && other.isIdentical(to: request.other)
  }
}

/// The components of a label, the largest first.
package struct Islands: Equatable, Sendable {
  package let request: IslandsRequest
  /// nil where they could not be listed; ``failure`` says why.
  package let list: ComponentList?
  /// For each component, the number of its voxels that have the label in the other version too; nil where that version
  /// does not have the label.
  package let commonVoxelCounts: [Int]?
  /// The reason why they could not be listed, in one line.
  package let failure: String?

  /// Finds the components.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of chunks that are not uniform), in parallel.
  package init(_ request: IslandsRequest, _ work: WorkContext) throws {
    self.request = request
    var classes = [UInt16](repeating: 0, count: 65536)
    classes[Int(request.value)] = 1
    do {
      let list = try ComponentList(
        request.labels, nil, classes: (classes, [UInt16](repeating: 0, count: 65536)),
        limit: SpatialComparison.maximumComponentCount, keepsVoxels: true,
        subject: "the components of a label",
        work: work)
      let common = try request.other.flatMap { other in
        try request.otherValue.map { value in
          try list.counts(in: other, work: work.withoutProgress) { $0 == value }
        }
      }
      (self.list, commonVoxelCounts, failure) = (list, common, nil)
    } catch let error as InputError {
      (list, commonVoxelCounts, failure) = (nil, nil, error.description)
    }
  }
}
