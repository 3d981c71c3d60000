import Volumes
import Work

/// A structure's voxel values in two masks that may number it differently.
package struct MatchedStructure: Hashable, Sendable {
  /// The common name, as the reference writes it.
  package var name: String
  /// Its values in the reference; empty where the reference does not have it.
  package var referenceValues: [UInt16]
  /// Its values in the other mask.
  package var otherValues: [UInt16]

  package init(name: String, referenceValues: [UInt16], otherValues: [UInt16]) {
    self.name = name
    self.referenceValues = referenceValues
    self.otherValues = otherValues
  }

  /// The structure of a selection.
  ///
  /// Its values count in both masks, except in a mask whose own names give the structure another value: "6=liver"
  /// also finds the liver of a mask that says 1 is liver, and "1,2=liver" stays both labels where 1 is liver and 2
  /// its tumour.
  ///
  /// - Parameter coding: Both masks', which has the codes of the selection's values.
  package init(
    _ selection: LabelSelection, coding: LabelCoding = .identity, referenceNames: LabelTable?,
    otherNames: LabelTable?
  ) {
    let selected = coding.codes(of: selection.values)
    func values(_ names: LabelTable?) -> [UInt16] {
      let named = (names?.labels ?? []).filter { $0.nameKey == selection.nameKey }.map(\.value)
      return Set(named).isSubset(of: selected) ? selected : named
    }
    self.init(
      name: selection.name, referenceValues: values(referenceNames), otherValues: values(otherNames))
  }

  /// Matches all values that occur: as a reader paired them, else by name where both masks name theirs, else by value.
  ///
  /// - Parameters:
  ///   - reference: Values that occur in the reference; 0 is ignored.
  ///   - referenceNames: Its names, if it has any.
  ///   - partners: The value in the other mask by the value in the reference, one to one; a value without a partner is
  ///     matched with nothing. nil where no reader paired them.
  ///   - coding: Both masks', which names what has no name.
  /// - Returns: Ascending by value.
  package static func matches(
    reference: some Collection<UInt16>, referenceNames: LabelTable?, other: some Collection<UInt16>,
    otherNames: LabelTable?, partners: [UInt16: UInt16]? = nil, coding: LabelCoding = .identity
  ) -> [MatchedStructure] {
    var structures: [MatchedStructure] = []
    var positions: [String: Int] = [:]
    func add(_ value: UInt16, _ name: String, _ list: WritableKeyPath<MatchedStructure, [UInt16]>) {
      let key = name.nameKey
      let position = positions[key] ?? structures.count
      if position == structures.count {
        positions[key] = position
        structures.append(MatchedStructure(name: name, referenceValues: [], otherValues: []))
      }
      structures[position][keyPath: list].append(value)
    }
    func order(_ structure: MatchedStructure) -> UInt16 {
      structure.referenceValues.first ?? structure.otherValues.first ?? 0
    }
    if let partners {
      let (values, others) = (Set(reference).subtracting([0]), Set(other).subtracting([0]))
      let paired = partners.filter { values.contains($0.key) && others.contains($0.value) }
      structures = values.map { value in
        MatchedStructure(
          name: referenceNames?[value]?.name ?? paired[value].flatMap { otherNames?[$0]?.name }
            ?? coding.name(of: value),
          referenceValues: [value], otherValues: paired[value].map { [$0] } ?? [])
      }
      structures += others.subtracting(paired.values).map { value in
        MatchedStructure(
          name: otherNames?[value]?.name ?? coding.name(of: value), referenceValues: [], otherValues: [value])
      }
      return structures.sorted {
        (order($0), $1.referenceValues.count) < (order($1), $0.referenceValues.count)
      }
    }
    // Where only one mask has names, they name the values of both.
    let names = (referenceNames ?? otherNames, otherNames ?? referenceNames)
    for value in reference.sorted() where value > 0 {
      add(value, names.0?[value]?.name ?? coding.name(of: value), \.referenceValues)
    }
    for value in other.sorted() where value > 0 {
      add(value, names.1?[value]?.name ?? coding.name(of: value), \.otherValues)
    }
    return structures.sorted { order($0) < order($1) }
  }
}

/// A voxel of the border of a structure in one of two masks.
package struct BorderVoxel: Hashable, Sendable {
  /// In the grid of the masks.
  package var index: VoxelIndex
  /// Whether it lies on the reference's border; else on the other mask's.
  package var isOfReference: Bool
  /// Its distance from the other border.
  package var distanceMillimetres: Double

  package init(index: VoxelIndex, isOfReference: Bool, distanceMillimetres: Double) {
    self.index = index
    self.isOfReference = isOfReference
    self.distanceMillimetres = distanceMillimetres
  }
}

/// The measures of one structure in two masks.
package struct StructureComparison: Hashable, Sendable {
  package let name: String
  /// Volume in the reference.
  package let referenceMillilitres: Double
  /// Volume in the other mask.
  package let otherMillilitres: Double
  package let overlap: OverlapMeasures
  /// Distances between the borders; nil when one of them, or both, are empty.
  package let distances: SurfaceDistanceMeasures?

  /// The border voxel that is furthest from the other border, the reference's where both are as far and the first in
  /// memory where several are; nil without ``distances``.
  package let furthest: BorderVoxel?

  /// The diagonal of the image, which a missed structure counts as in means of distances; see ``CountedMeasures``.
  package let diagonalMillimetres: Double

  /// SLIVER07's scores of this structure; nil without distances.
  package var sliver07: SLIVER07Scores? { SLIVER07Scores(self) }

  /// SLIVER07's score of this structure; nil without distances.
  package var sliver07Score: Double? { sliver07?.total }

  /// This structure's term of the HVSMR score; nil without distances.
  package var hvsmrTerm: Double? {
    distances.map {
      HVSMRScore.term(
        dice: overlap.dice, averageMillimetres: $0.averageMillimetres,
        maximumMillimetres: $0.maximumMillimetres)
    }
  }

  private static func furthest(
    _ borders: StructureBorders, _ fromReference: [Double], _ fromOther: [Double], lower: VoxelIndex,
    _ affine: Affine
  ) -> BorderVoxel? {
    /// The largest distance and its position, the first of equal ones.
    func greatest(_ distances: [Double]) -> (position: Int, distance: Double)? {
      distances.max().flatMap { distance in distances.firstIndex(of: distance).map { ($0, distance) } }
    }
    guard let one = greatest(fromReference), let two = greatest(fromOther) else { return nil }
    return one.distance >= two.distance
      ? BorderVoxel(
        index: borders.referenceVoxel(one.position, from: lower, affine), isOfReference: true,
        distanceMillimetres: one.distance)
      : BorderVoxel(
        index: borders.otherVoxel(two.position, from: lower, affine), isOfReference: false,
        distanceMillimetres: two.distance)
  }

  /// Compares a structure of two masks on the same grid; positions are those of the reference's grid.
  ///
  /// - Parameters:
  ///   - diagonalMillimetres: The diagonal of the image where the masks are a part of it; else the masks' own.
  ///   - toleranceMillimetres: The tolerance of the surface Dice.
  ///   - extents: The extents of the two masks, which many structures can use.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of the masks) for the overlap, O(voxels of the box around both structures) for the
  ///   distances; about 10 bytes for each voxel of that box. Where the axes are not perpendicular, or the box holds 64
  ///   times the structure, O(n log n) for n border voxels, and about 100 bytes for each. With `extents`, time grows
  ///   with the voxels of the masks, not with the number of structures.
  package init(
    _ structure: MatchedStructure, reference: LabelVolume, other: LabelVolume,
    diagonalMillimetres: Double? = nil, toleranceMillimetres: Double = 2, extents: LabelExtents? = nil,
    work: WorkContext
  ) throws(Cancelled) {
    precondition(
      reference.grid.size == other.grid.size, "masks of \(reference.grid.size) and \(other.grid.size) voxels")
    name = structure.name
    self.diagonalMillimetres = diagonalMillimetres ?? reference.grid.diagonalMillimetres
    let known: LabelExtents
    if let extents {
      known = extents
    } else {
      known = try LabelExtents(reference: reference, other: other, work: work)
    }
    let extent = known.extent(of: structure)
    overlap = extent.overlap
    let millilitresPerVoxel = reference.grid.voxelVolume / 1000
    referenceMillilitres = Double(overlap.referenceVoxelCount) * millilitresPerVoxel
    otherMillilitres = Double(overlap.otherVoxelCount) * millilitresPerVoxel
    try work.checkCancellation()
    guard let box = extent.box, overlap.referenceVoxelCount > 0, overlap.otherVoxelCount > 0 else {
      (distances, furthest) = (nil, nil)
      work.report(1)
      return
    }
    var work = work
    // Starting threads takes longer than the work on such a box.
    if box.size.voxelCount < 1 << 15 { work.threadCount = 1 }
    let borders = try StructureBorders(structure, reference, other, box: box, known, work: work)
    work.report(0.3)
    let fromOther = try borders.distancesFromOther(work: work)
    work.report(0.65)
    let fromReference = try borders.distancesFromReference(work: work)
    distances = SurfaceDistanceMeasures(
      fromReference: fromReference, fromOther: fromOther, toleranceMillimetres: toleranceMillimetres)
    furthest = StructureComparison.furthest(
      borders, fromReference, fromOther, lower: box.lower, reference.grid.affine)
    work.report(1)
  }
}
