import Work

/// The connected components (26-connectivity) of a mask in chunks, and the statistics of its labels.
///
/// Each chunk stores its own components, called parts, and the parts of neighbouring chunks that they touch. After a
/// change of some voxels only the parts of their chunks are recomputed and all parts are joined: the statistics of the
/// whole mask cost a few chunks.
package struct LabelComponents: Equatable, Sendable {
  /// A connected component within a chunk.
  private struct Part: Equatable, Sendable {
    var label: UInt16
    var voxelCount: Int
    var bounds: VoxelBounds
    /// The memory offset of its first voxel.
    var first: Int
    /// The sum of its voxels' indices.
    var sum: SIMD3<Int>
    /// For each slice from the first of `bounds` on, across the axis of axial slices: voxels, and the sum of their
    /// indices within the chunk; empty where the part lies in one slice.
    var slices: [SIMD4<UInt32>]
  }

  /// A part that touches one of a chunk before its own.
  private struct Link: Equatable, Sendable {
    var part: Int32
    /// Index of the other part's chunk in ``neighbours``.
    var neighbour: Int32
    var otherPart: Int32
  }

  /// Steps to the chunks that come before a chunk and touch it.
  private static let neighbours: [VoxelIndex] = (-1...0).flatMap { k in
    (-1...1).flatMap { j in (-1...1).map { VoxelIndex($0, j, k) } }
  }.filter { ($0.k, $0.j, $0.i) < (0, 0, 0) }

  private let chunkGrid: ChunkGrid
  /// The axis across axial slices.
  private let axis: Int
  private var parts: [[Part]]
  private var links: [[Link]]
  /// Statistics of every label but 0 that occurs, ascending.
  package private(set) var statistics: [LabelStatistics]

  /// The components of every label but 0.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(voxels of chunks that are not uniform), in parallel.
  package init(_ labels: ChunkedLabels, work: WorkContext) throws(Cancelled) {
    chunkGrid = labels.chunkGrid
    axis = labels.grid.orientation.sliceAxis(of: .axial)
    statistics = []
    (parts, links) = ([], [])
    parts.reserveCapacity(chunkGrid.count)
    links.reserveCapacity(chunkGrid.count)
    let layerCount = chunkGrid.counts.i * chunkGrid.counts.j
    // Maps of parts are needed for one layer of chunks and the one below it.
    var below: [PartMap] = []
    let (chunkGrid, axis) = (chunkGrid, axis)
    for layer in 0..<chunkGrid.counts.k {
      let start = layer * layerCount
      var found = [(map: PartMap, parts: [Part])?](repeating: nil, count: layerCount)
      try found.withUnsafeMutableBufferPointer { found throws(Cancelled) in
        let found = DisjointBuffer(found)
        try work.withoutProgress.forEach(count: layerCount) { index, _ in
          found[index] = LabelComponents.parts(of: labels, start + index, axis: axis)
        }
      }
      let maps = found.map { $0!.map }
      parts += found.map { $0!.parts }
      var touching = [[Link]](repeating: [], count: layerCount)
      let lower = below
      try touching.withUnsafeMutableBufferPointer { touching throws(Cancelled) in
        let touching = DisjointBuffer(touching)
        try work.withoutProgress.forEach(count: layerCount) { index, _ in
          let chunk = start + index
          for neighbour in LabelComponents.neighbours.indices {
            guard let other = chunkGrid.neighbour(of: chunk, LabelComponents.neighbours[neighbour])
            else { continue }
            let map = other >= start ? maps[other - start] : lower[other - start + layerCount]
            touching[index] += LabelComponents.links(maps[index], map, neighbour)
          }
        }
      }
      links += touching
      below = maps
      work.report(Double(layer + 1) / Double(chunkGrid.counts.k))
    }
    try work.checkCancellation()
    count(labels, of: nil)
  }

  /// The components of `labels`, found from those of a mask on the same grid where few chunks differ.
  /// - Throws: `Cancelled`.
  /// - Complexity: O(chunks + voxels of the chunks that differ and those around them), in parallel.
  package init(
    _ labels: ChunkedLabels, changedFrom before: ChunkedLabels, _ components: LabelComponents,
    work: WorkContext
  ) throws(Cancelled) {
    guard let change = LabelChange(from: before, to: labels) else {
      self = components
      return
    }
    // From here on the parts that are found again are those of most chunks.
    guard change.swaps.count * 4 < labels.chunkGrid.count else {
      self = try LabelComponents(labels, work: work)
      return
    }
    self = components
    let (chunkGrid, axis) = (chunkGrid, axis)
    let around = Self.neighbours.flatMap { [$0, VoxelIndex(-$0.i, -$0.j, -$0.k)] }
    let touched = Set(
      change.swaps.flatMap { swap in
        [swap.chunk] + around.compactMap { chunkGrid.neighbour(of: swap.chunk, $0) }
      }
    ).sorted()
    var found = [(map: PartMap, parts: [Part])?](repeating: nil, count: touched.count)
    try found.withUnsafeMutableBufferPointer { found throws(Cancelled) in
      let found = DisjointBuffer(found)
      try work.withoutProgress.forEach(count: touched.count) { index, _ in
        found[index] = LabelComponents.parts(of: labels, touched[index], axis: axis)
      }
    }
    apply(
      change, labels: labels, known: Dictionary(uniqueKeysWithValues: zip(touched, found.map { $0! })))
  }

  /// Applies a change; `labels` are those after it.
  /// - Complexity: O(voxels of the changed chunks and those around them + parts).
  package mutating func apply(_ change: LabelChange, labels: ChunkedLabels) {
    apply(change, labels: labels, known: [:])
  }

  /// Applies a change with the parts of some chunks after it.
  private mutating func apply(
    _ change: LabelChange, labels: ChunkedLabels, known: [Int: (map: PartMap, parts: [Part])]
  ) {
    let changed = change.swaps.map(\.chunk)
    let isChanged = Set(changed)
    var maps = known.mapValues(\.map)
    var changedLabels: Set<UInt16> = []
    for chunk in changed {
      let new = known[chunk] ?? LabelComponents.parts(of: labels, chunk, axis: axis)
      maps[chunk] = new.map
      changedLabels.formUnion(parts[chunk].map(\.label))
      changedLabels.formUnion(new.parts.map(\.label))
      parts[chunk] = new.parts
    }
    func map(_ chunk: Int) -> PartMap {
      if let map = maps[chunk] { return map }
      let map = LabelComponents.parts(of: labels, chunk, axis: axis).map
      maps[chunk] = map
      return map
    }
    /// Recomputes the parts of a chunk that touch parts of an earlier one.
    func relink(_ chunk: Int, _ neighbour: Int) {
      guard let other = chunkGrid.neighbour(of: chunk, LabelComponents.neighbours[neighbour]) else { return }
      // In the order of neighbours, as if all were found at once.
      let known = links[chunk]
      links[chunk] =
        known.filter { $0.neighbour < neighbour }
        + LabelComponents.links(map(chunk), map(other), neighbour)
        + known.filter { $0.neighbour > neighbour }
    }
    for chunk in changed {
      for (neighbour, step) in LabelComponents.neighbours.enumerated() {
        relink(chunk, neighbour)
        let back = VoxelIndex(-step.i, -step.j, -step.k)
        if let later = chunkGrid.neighbour(of: chunk, back), !isChanged.contains(later) {
          relink(later, neighbour)
        }
      }
    }
    count(labels, of: changedLabels)
  }

  // MARK: - Joining

  /// Recomputes the statistics of all labels, or only of `some`.
  private mutating func count(_ labels: ChunkedLabels, of some: Set<UInt16>?) {
    var isCounted = [Bool](repeating: some == nil, count: 65536)
    for label in some ?? [] { isCounted[Int(label)] = true }
    var starts = [0]
    starts.reserveCapacity(parts.count + 1)
    for parts in parts { starts.append(starts[starts.count - 1] + parts.count) }
    var parents = (0..<Int32(starts[parts.count])).map(\.self)
    func root(_ part: Int) -> Int {
      var part = part
      while Int(parents[part]) != part {
        parents[part] = parents[Int(parents[part])]
        part = Int(parents[part])
      }
      return part
    }
    for (chunk, links) in links.enumerated() {
      for link in links where isCounted[Int(parts[chunk][Int(link.part)].label)] {
        guard
          let other = chunkGrid.neighbour(of: chunk, LabelComponents.neighbours[Int(link.neighbour)])
        else { continue }
        let (one, two) = (
          root(starts[chunk] + Int(link.part)), root(starts[other] + Int(link.otherPart))
        )
        parents[max(one, two)] = Int32(min(one, two))
      }
    }
    // Voxels of each component, and the offset of its first one, by its root.
    var voxelCounts = [Int](repeating: 0, count: parents.count)
    var firsts = [Int](repeating: .max, count: parents.count)
    var sums: [UInt16: LabelSum] = [:]
    for (chunk, parts) in parts.enumerated() {
      for (position, part) in parts.enumerated() where isCounted[Int(part.label)] {
        sums[part.label, default: LabelSum(bounds: part.bounds)].add(part.voxelCount, part.sum, part.bounds)
        let root = root(starts[chunk] + position)
        voxelCounts[root] += part.voxelCount
        firsts[root] = min(firsts[root], part.first)
      }
    }
    // The largest component of each label, the first in memory among equal ones.
    var largest = [Int](repeating: -1, count: 65536)
    for (chunk, parts) in parts.enumerated() {
      for (position, part) in parts.enumerated()
      where isCounted[Int(part.label)] && Int(parents[starts[chunk] + position]) == starts[chunk] + position {
        let root = starts[chunk] + position
        sums[part.label]!.componentCount += 1
        let known = largest[Int(part.label)]
        if known < 0 || (voxelCounts[known], -firsts[known]) < (voxelCounts[root], -firsts[root]) {
          largest[Int(part.label)] = root
        }
      }
    }
    // The parts of those components.
    var members: [UInt16: [PartIndex]] = [:]
    for (chunk, parts) in parts.enumerated() {
      for (position, part) in parts.enumerated()
      where isCounted[Int(part.label)] && root(starts[chunk] + position) == largest[Int(part.label)] {
        members[part.label, default: []].append(PartIndex(chunk: chunk, part: position))
      }
    }
    var maps = PartMaps(axis: axis)
    let new = sums.keys.sorted().map { label in
      let sum = sums[label]!
      let mean = SIMD3<Double>(sum.sum) / Double(sum.voxelCount)
      return LabelStatistics(
        label: label, voxelCount: sum.voxelCount,
        millilitres: Double(sum.voxelCount) * labels.grid.voxelVolume / 1000, bounds: sum.bounds,
        componentCount: sum.componentCount, centroid: labels.grid.affine.world(mean.x, mean.y, mean.z),
        centre: centre(of: members[label]!, label, labels, &maps))
    }
    statistics = (statistics.filter { !isCounted[Int($0.label)] } + new).sorted { $0.label < $1.label }
  }

  /// A part, by its chunk and its index there.
  private struct PartIndex: Hashable {
    var chunk, part: Int
  }

  private struct LabelSum {
    var bounds: VoxelBounds
    var voxelCount = 0
    var componentCount = 0
    var sum = SIMD3<Int>.zero

    init(bounds: VoxelBounds) { self.bounds = bounds }

    mutating func add(_ voxelCount: Int, _ sum: SIMD3<Int>, _ bounds: VoxelBounds) {
      self.voxelCount += voxelCount
      self.sum &+= sum
      self.bounds = self.bounds.union(bounds)
    }
  }

  /// See ``LabelStatistics/centre``, of the component that these parts make.
  private func centre(
    of members: [PartIndex], _ label: UInt16, _ labels: ChunkedLabels, _ maps: inout PartMaps
  ) -> VoxelIndex {
    var bounds = parts[members[0].chunk][members[0].part].bounds
    for member in members { bounds = bounds.union(parts[member.chunk][member.part].bounds) }
    if bounds.size.voxelCount == 1 { return bounds.lower }
    var slices = [CentreSearch.Slice](repeating: CentreSearch.Slice(), count: bounds.size[axis])
    for member in members {
      let part = parts[member.chunk][member.part]
      let first = part.bounds.lower[axis] - bounds.lower[axis]
      guard !part.slices.isEmpty else {
        slices[first].count += part.voxelCount
        slices[first].sum &+= part.sum
        continue
      }
      let origin = chunkGrid.box(member.chunk).lower
      for (slice, sum) in part.slices.enumerated() where sum.x > 0 {
        let count = Int(sum.x)
        slices[first + slice].count += count
        slices[first + slice].sum &+= SIMD3(
          Int(sum.y) + count * origin.i, Int(sum.z) + count * origin.j, Int(sum.w) + count * origin.k)
      }
    }
    var search = CentreSearch(slices: slices, first: bounds.lower[axis], axis: axis)
    search.choose()
    let belongs = Set(members)
    let chunksOfMembers = Set(members.map(\.chunk))
    func isInside(_ voxel: VoxelIndex) -> Bool {
      let chunk = chunkGrid.chunk(of: voxel)
      guard chunksOfMembers.contains(chunk), labels[voxel] == label else { return false }
      // Mostly a label is one part of a chunk, and nothing more needs to be known.
      if parts[chunk].count <= 64, parts[chunk].count(where: { $0.label == label }) == 1 { return true }
      return maps.part(chunk, voxel, labels).map { belongs.contains(PartIndex(chunk: chunk, part: $0)) }
        ?? false
    }
    if isInside(search.preferred) { return search.preferred }
    // The middle lies outside: all of the slice's voxels, in the order of memory.
    var slice = bounds
    slice.lower[axis] = search.position
    slice.upper[axis] = search.position
    for k in slice.lower.k...slice.upper.k {
      for j in slice.lower.j...slice.upper.j {
        var start: Int?
        for i in slice.lower.i...slice.upper.i + 1 {
          if i <= slice.upper.i, isInside(VoxelIndex(i, j, k)) {
            if start == nil { start = i }
          } else if let first = start {
            search.consider(VoxelIndex(first, j, k), i - first, spacing: labels.grid.spacing)
            start = nil
          }
        }
      }
    }
    return search.nearest
  }

  // MARK: - Parts

  /// The part that each voxel of a chunk belongs to.
  private struct PartMap: Sendable {
    var box: VoxelBounds
    /// The part of every voxel plus 1, 0 for background; nil where all belong to the first part, or to none.
    var numbers: [Int32]?
    /// The label of each part.
    var labels: [UInt16]

    func part(_ voxel: VoxelIndex) -> Int? {
      guard let numbers else { return labels.isEmpty ? nil : 0 }
      let number = numbers[box.size.offset(voxel - box.lower)]
      return number == 0 ? nil : Int(number) - 1
    }
  }

  /// A cache of the part maps of some chunks.
  private struct PartMaps {
    let axis: Int
    private var known: [Int: PartMap] = [:]
    private static let maximumCount = 256

    init(axis: Int) { self.axis = axis }

    mutating func part(_ chunk: Int, _ voxel: VoxelIndex, _ labels: ChunkedLabels) -> Int? {
      if let map = known[chunk] { return map.part(voxel) }
      if known.count == PartMaps.maximumCount { known = [:] }
      let map = LabelComponents.parts(of: labels, chunk, axis: axis).map
      known[chunk] = map
      return map.part(voxel)
    }
  }

  private static let everyLabel = (0...65535).map { UInt16($0) }

  /// The parts of a chunk.
  private static func parts(
    of labels: ChunkedLabels, _ chunk: Int, axis: Int
  ) -> (map: PartMap, parts: [Part]) {
    let box = labels.chunkGrid.box(chunk)
    let size = box.size
    if case .uniform(0) = labels.chunks[chunk] { return (PartMap(box: box, labels: []), []) }
    let volume = labels.volume(croppedTo: box)
    // Nothing can cancel this context.
    let work = WorkContext(threadCount: 1)
    guard
      let found = try? ConnectedComponents(
        volume, bounds: VoxelBounds(size), classOfValue: everyLabel, neighbourhood: .corners, work: work)
    else { preconditionFailure("cancelled without a request") }
    var parts = found.components.map { component in
      Part(
        label: component.label, voxelCount: component.voxelCount,
        bounds: VoxelBounds(
          lower: component.bounds.lower + box.lower, upper: component.bounds.upper + box.lower),
        first: .max, sum: .zero,
        slices: component.bounds.size[axis] == 1
          ? [] : [SIMD4](repeating: .zero, count: component.bounds.size[axis]))
    }
    let whole = labels.grid.size
    found.forEachRun { number, offsets in
      let start = size.index(offset: offsets.lowerBound)
      let bounds = found.components[number].bounds
      let count = offsets.count
      let sumI = count * start.i + count * (count - 1) / 2
      parts[number].first = min(parts[number].first, whole.offset(start + box.lower))
      parts[number].sum &+= SIMD3(
        sumI + count * box.lower.i, count * (start.j + box.lower.j), count * (start.k + box.lower.k))
      guard !parts[number].slices.isEmpty else { return }
      if axis == 0 {
        for i in start.i..<start.i + count {
          parts[number].slices[i - bounds.lower.i] &+= SIMD4(1, UInt32(i), UInt32(start.j), UInt32(start.k))
        }
      } else {
        parts[number].slices[start[axis] - bounds.lower[axis]] &+= SIMD4(
          UInt32(count), UInt32(sumI), UInt32(count * start.j), UInt32(count * start.k))
      }
    }
    var numbers: [Int32]?
    if case .voxels = labels.chunks[chunk] { numbers = found.map() }
    return (PartMap(box: box, numbers: numbers, labels: parts.map(\.label)), parts)
  }

  /// The parts of a chunk that touch parts of one before it, each pair once.
  private static func links(_ own: PartMap, _ other: PartMap, _ neighbour: Int) -> [Link] {
    guard !own.labels.isEmpty, !other.labels.isEmpty else { return [] }
    if own.numbers == nil, other.numbers == nil {
      return own.labels == other.labels ? [Link(part: 0, neighbour: Int32(neighbour), otherPart: 0)] : []
    }
    let step = neighbours[neighbour]
    /// Voxels of the own chunk along an axis that touch the other one.
    func range(_ axis: Int) -> ClosedRange<Int> {
      switch step[axis] {
      case -1: own.box.lower[axis]...own.box.lower[axis]
      case 1: own.box.upper[axis]...own.box.upper[axis]
      default: own.box.lower[axis]...own.box.upper[axis]
      }
    }
    func touched(_ position: Int, _ axis: Int) -> ClosedRange<Int> {
      max(position - 1, other.box.lower[axis])...min(position + 1, other.box.upper[axis])
    }
    var links: [Link] = []
    var known: Set<Int> = []
    // Neighbouring voxels mostly give the same pair.
    var last = -1
    for k in range(2) {
      for j in range(1) {
        for i in range(0) {
          guard let part = own.part(VoxelIndex(i, j, k)) else { continue }
          for otherK in touched(k, 2) {
            for otherJ in touched(j, 1) {
              for otherI in touched(i, 0) {
                guard let otherPart = other.part(VoxelIndex(otherI, otherJ, otherK)),
                  own.labels[part] == other.labels[otherPart], part << 32 | otherPart != last
                else { continue }
                last = part << 32 | otherPart
                guard known.insert(last).inserted else { continue }
                links.append(
                  Link(part: Int32(part), neighbour: Int32(neighbour), otherPart: Int32(otherPart)))
              }
            }
          }
        }
      }
    }
    return links
  }
}

extension ChunkGrid {
  /// The chunk that lies a step away; nil outside the grid.
  fileprivate func neighbour(of chunk: Int, _ step: VoxelIndex) -> Int? {
    let position = counts.index(offset: chunk) + step
    for axis in 0..<3 where !(0..<counts[axis]).contains(position[axis]) { return nil }
    return counts.offset(position)
  }
}
