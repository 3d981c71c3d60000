import Volumes

extension LabelVolume {
  /// The fingerprint of the labels, as records have that of an accepted version: a mask with another one was replaced.
  /// - Complexity: O(voxels).
  package var fingerprint: String {
    struct Extent {
      var voxelCount: Int
      var bounds: VoxelBounds
    }
    var extents: [Extent?] = []
    for (offset, code) in voxels.enumerated() where code != 0 {
      let code = Int(code)
      if code >= extents.count {
        extents += [Extent?](repeating: nil, count: code + 1 - extents.count)
      }
      let voxel = grid.size.index(offset: offset)
      let own = VoxelBounds(lower: voxel, upper: voxel)
      extents[code] = Extent(
        voxelCount: (extents[code]?.voxelCount ?? 0) + 1, bounds: extents[code]?.bounds.union(own) ?? own)
    }
    return CaseDecision.Version.fingerprint(
      of: extents.enumerated().compactMap { code, extent in
        extent.map {
          CaseDecision.Version.LabelExtent(
            value: coding.value(of: UInt16(code)), voxelCount: $0.voxelCount, bounds: $0.bounds)
        }
      })
  }
}
