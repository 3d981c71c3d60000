/// The arena's regions of a plan, for tests: ranges of floats of the arena.
extension InferencePlan {
  /// The steps whose outputs are the logits of the requested heads.
  package var headSteps: [Int] { steps.heads }

  /// The memory of an activation, 0 for the image and i + 1 for the output of step i; nil where the caller holds it.
  ///
  /// A step that changes its input in place has the input's memory, and inputs of a concatenation may be parts of it.
  package func floats(ofActivation index: Int) -> Range<Int>? {
    buffers.memory(ofActivation: index, steps).map { range($0.offset, $0.count) }
  }

  /// The planes of an activation that are retained for later slabs, in all slabs.
  package func retainedFloats(ofActivation index: Int) -> Range<Int>? {
    let owner = buffers.owners[index]
    guard let storage = buffers.storages[owner] else { return nil }
    return range(storage.retainedOffset, storage.retainedCapacity * steps.planeFloats(ofActivation: owner))
  }

  /// The scratch memory of a step.
  package func scratchFloats(ofStep index: Int) -> Range<Int> {
    range(buffers.scratchOffsets[index], buffers.scratchCounts[index])
  }

  private func range(_ start: Int, _ count: Int) -> Range<Int> { start..<start + count }
}
