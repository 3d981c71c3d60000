import Metrics
import Volumes
import Work

/// What the crosshair jumps to with n and N.
package enum JumpTarget: Equatable, Sendable {
  /// The components of the voxels where A and B differ.
  case disagreements
  /// The components of the selected label of the shown version.
  case islands
}

/// The labels of A and B whose voxels are counted in each slice, and whose differences are located.
package struct SpatialComparisonRequest: Equatable, Sendable {
  /// The labels of A and B; B's are nil where there is one version.
  var a: ChunkedLabels
  var b: ChunkedLabels?
  /// The pairs of labels that are compared.
  var pairs: [LabelPair]
  /// The versions that can have labels beyond their tables.
  var open: OpenLabels
  /// The box of each pair's voxels in both; nil where there is none.
  var boxes: [VoxelBounds?]

  /// A request about two versions, or about one.
  package init(_ a: Version, _ b: Version?, _ pairs: [LabelPair], _ open: OpenLabels) {
    (self.a, self.b, self.pairs, self.open) = (a.labels, b?.labels, pairs, open)
    boxes = pairs.map { pair in
      let boxes = [
        pair.valueA.flatMap { a.statistics(of: $0)?.bounds },
        pair.valueB.flatMap { value in b?.statistics(of: value)?.bounds },
      ].compactMap(\.self)
      return boxes.dropFirst().reduce(boxes.first) { $0?.union($1) }
    }
  }

  /// Whether both are about the same masks in memory and the same pairs, as for an ``IslandsRequest``.
  func isIdentical(to request: SpatialComparisonRequest?) -> Bool {
    guard let request else { return false }
    return a.isIdentical(to: request.a) && b.isIdentical(to: request.b)
      && (pairs, open, boxes) == (request.pairs, request.open, request.boxes)
  }
}

/// Where A and B agree and differ: voxel counts in each slice, and connected components of the differing voxels.
package struct SpatialComparison: Equatable, Sendable {
  package let request: SpatialComparisonRequest
  /// The voxels of each pair of labels in each slice, of A, of B and common.
  package let slices: SliceOverlaps
  /// The components of the voxels where A and B differ, the largest component first; nil with one version, or where
  /// ``failure`` says why.
  package let disagreements: ComponentList?
  /// The reason why the differences could not be listed, in one line.
  package let failure: String?
  /// The pair of each structure, by the structure's number minus 1; nil where the versions have no label in common, so
  /// that all labels are one structure.
  private let pairOfStructure: [LabelPair]?
  private let positionOfValueA: [UInt16: Int]
  private let positionOfValueB: [UInt16: Int]

  /// The maximum number of components that are listed.
  static let maximumComponentCount = 100_000

  /// Counts the voxels of each label in each slice and finds the components of the differing voxels.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of chunks that are not uniform + labels).
  package init(_ request: SpatialComparisonRequest, _ work: WorkContext) throws {
    self.request = request
    let compared = request.pairs.comparedStructures(request.open)
    var structuresA = [Int32](repeating: 0, count: 65536)
    var structuresB = structuresA
    var classesA = [UInt16](repeating: 0, count: 65536)
    var classesB = classesA
    var valuesA: [UInt16: Int] = [:]
    var valuesB: [UInt16: Int] = [:]
    for (position, pair) in request.pairs.enumerated() {
      if let value = pair.valueA {
        structuresA[Int(value)] = Int32(position + 1)
        classesA[Int(value)] = compared[position]
        valuesA[value] = position + 1
      }
      if let value = pair.valueB {
        structuresB[Int(value)] = Int32(position + 1)
        classesB[Int(value)] = compared[position]
        valuesB[value] = position + 1
      }
    }
    (positionOfValueA, positionOfValueB) = (valuesA, valuesB)
    // All pairs are structure 1 where the versions have no label in common.
    let known = zip(request.pairs, compared).filter { $1 > 0 }
    pairOfStructure = known.last?.1 == UInt16(known.count) ? known.map(\.0) : nil
    slices = try SliceOverlaps(
      request.a, request.b,
      of: SliceOverlaps.Structures(
        ofOne: structuresA, ofOther: structuresB, boxes: request.boxes,
        isInTotal: compared.map { request.b == nil || $0 > 0 }),
      work: work.part(0...0.4))
    guard let b = request.b else {
      (disagreements, failure) = (nil, nil)
      return
    }
    do {
      disagreements = try ComponentList(
        request.a, b, classes: (classesA, classesB), limit: SpatialComparison.maximumComponentCount,
        keepsVoxels: false,
        subject: "where A and B differ", work: work.part(0.4...1))
      failure = nil
    } catch let error as InputError {
      (disagreements, failure) = (nil, error.description)
    }
  }

  /// The structure in ``slices`` of a label of A, else of a label of B; nil where neither version has the label, or it
  /// is not counted.
  func structure(a: UInt16?, b: UInt16?) -> Int? {
    let structure = a.flatMap { positionOfValueA[$0] } ?? b.flatMap { positionOfValueB[$0] }
    return structure.flatMap { slices.isCounted($0) ? $0 : nil }
  }

  /// How A and B differ in a component: "only A: liver", "only B: spleen", "liver in A, spleen in B".
  func kind(of entry: ComponentList.Entry) -> String {
    func name(_ structure: UInt16, _ own: KeyPath<LabelPair, String?>) -> String {
      pairOfStructure?[Int(structure) - 1][keyPath: own].map { cleaned($0) } ?? "some label"
    }
    if entry.classInOther == 0 { return "only A: \(name(entry.classInOne, \.nameA))" }
    if entry.classInOne == 0 { return "only B: \(name(entry.classInOther, \.nameB))" }
    return "\(name(entry.classInOne, \.nameA)) in A, \(name(entry.classInOther, \.nameB)) in B"
  }
}
