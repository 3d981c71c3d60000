import Work

/// Its input, copied where the output has other memory.
package struct PreparedIdentity: SingleInputOperation, VoxelwiseOperation {
  package init() {}

  package var kernelName: String { "identity" }
  package var worksInPlace: Bool { true }
  package func outputChannels(_ channels: Int) -> Int { channels }

  package func run(
    _ input: ActivationWindow, into output: ActivationWindow, scratch: DisjointBuffer<Float>,
    work: WorkContext
  ) throws(Cancelled) {
    try work.forEachChunk(of: output, reading: input) { _, _, range, source, target in
      if source != UnsafePointer(target) { target.update(from: source, count: range.count) }
    }
  }
}
