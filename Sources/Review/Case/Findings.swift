import Metrics
import Volumes
import Work

/// The kind of finding that n and N step through.
package enum FindingTarget: Equatable, Sendable {
  /// The components of the voxels where A and B differ.
  case disagreements
  /// The components of the selected label of the shown version.
  case islands
}

/// The labels whose slices are counted and whose differences are sought.
package struct FindingsRequest: Equatable, Sendable {
  /// The labels of A and B; B's are nil where there is one version.
  var a: ChunkedLabels
  var b: ChunkedLabels?
  /// The pairs of labels that are compared.
  var pairs: [LabelPair]
  /// The box of each pair's voxels in both; nil where there is none.
  var boxes: [VoxelBounds?]

  /// A request about two versions, or about one.
  package init(_ a: Version, _ b: Version?, _ pairs: [LabelPair]) {
    (self.a, self.b, self.pairs) = (a.labels, b?.labels, pairs)
    boxes = pairs.map { pair in
      let boxes = [
        pair.valueA.flatMap { a.statistics(of: $0)?.bounds },
        pair.valueB.flatMap { value in b?.statistics(of: value)?.bounds },
      ].compactMap(\.self)
      return boxes.dropFirst().reduce(boxes.first) { $0?.union($1) }
    }
  }
}

/// The slices of A and B, and where they differ.
package struct Findings: Equatable, Sendable {
  package let request: FindingsRequest
  /// The voxels of each pair of labels in each slice, of A, of B and common.
  package let slices: SliceOverlaps
  /// The components of the voxels where A and B differ, the largest component first; nil with one version, or where
  /// ``failure`` says why.
  package let disagreements: ComponentList?
  /// The reason why the differences could not be listed, in one line.
  package let failure: String?
  /// The pair of each structure, from 1; nil where the versions have no label in common, which are one structure then.
  private let pairOfStructure: [LabelPair]?
  private let positionOfValueA: [UInt16: Int]
  private let positionOfValueB: [UInt16: Int]

  /// The greatest number of components that are listed.
  static let componentLimit = 100_000

  /// Counts slices and finds differences.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of chunks that are not uniform + labels).
  package init(_ request: FindingsRequest, _ work: WorkContext) throws {
    self.request = request
    let compared = request.pairs.comparedStructures
    var ofA = [Int32](repeating: 0, count: 65536)
    var ofB = ofA
    var classesA = [UInt16](repeating: 0, count: 65536)
    var classesB = classesA
    var valuesA: [UInt16: Int] = [:]
    var valuesB: [UInt16: Int] = [:]
    for (position, pair) in request.pairs.enumerated() {
      if let value = pair.valueA {
        ofA[Int(value)] = Int32(position + 1)
        classesA[Int(value)] = compared[position]
        valuesA[value] = position + 1
      }
      if let value = pair.valueB {
        ofB[Int(value)] = Int32(position + 1)
        classesB[Int(value)] = compared[position]
        valuesB[value] = position + 1
      }
    }
    (positionOfValueA, positionOfValueB) = (valuesA, valuesB)
    let known = zip(request.pairs, compared).filter { $1 > 0 }
    pairOfStructure = known.last?.1 == UInt16(known.count) ? known.map(\.0) : nil
    slices = try SliceOverlaps(
      request.a, request.b,
      of: SliceOverlaps.Structures(
        ofOne: ofA, ofOther: ofB, boxes: request.boxes,
        isInTotal: compared.map { request.b == nil || $0 > 0 }),
      work: work.part(0...0.4))
    guard let b = request.b else {
      (disagreements, failure) = (nil, nil)
      return
    }
    do {
      disagreements = try ComponentList(
        request.a, b, classes: (classesA, classesB), limit: Findings.componentLimit, keepsVoxels: false,
        subject: "where A and B differ", work: work.part(0.4...1))
      failure = nil
    } catch let error as InputError {
      (disagreements, failure) = (nil, error.description)
    }
  }

  /// The structure of a label of A or of B in ``slices``; nil for a label that neither has, or that is not counted.
  func structure(a: UInt16?, b: UInt16?) -> Int? {
    let structure = a.flatMap { positionOfValueA[$0] } ?? b.flatMap { positionOfValueB[$0] }
    return structure.flatMap { slices.isCounted($0) ? $0 : nil }
  }

  /// "only A: liver", "only B: spleen", "liver in A, spleen in B".
  func kind(of entry: ComponentList.Entry) -> String {
    func name(_ structure: UInt16, _ own: KeyPath<LabelPair, String?>) -> String {
      pairOfStructure?[Int(structure) - 1][keyPath: own].map { cleaned($0) } ?? "some label"
    }
    if entry.classInOther == 0 { return "only A: \(name(entry.classInOne, \.nameA))" }
    if entry.classInOne == 0 { return "only B: \(name(entry.classInOther, \.nameB))" }
    return "\(name(entry.classInOne, \.nameA)) in A, \(name(entry.classInOther, \.nameB)) in B"
  }
}

/// A label whose components are sought.
package struct IslandsRequest: Equatable, Sendable {
  var labels: ChunkedLabels
  var value: UInt16
  /// The labels of the version that it is compared with, and the value there; nil where there is none.
  var other: ChunkedLabels?
  var otherValue: UInt16?

  package init(labels: ChunkedLabels, value: UInt16, other: ChunkedLabels?, otherValue: UInt16?) {
    (self.labels, self.value, self.other, self.otherValue) = (labels, value, other, otherValue)
  }
}

/// The components of a label, the largest first.
package struct Islands: Equatable, Sendable {
  package let request: IslandsRequest
  /// The components.
  package let list: ComponentList?
  /// Voxels of each that the other version has too; nil where it does not know the label.
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
        limit: Findings.componentLimit, keepsVoxels: true, subject: "the components of a label", work: work)
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
