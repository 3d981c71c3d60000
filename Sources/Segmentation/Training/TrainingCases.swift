import Networks
import Tensors
import Volumes
import Work

/// The cases of a training run.
package struct TrainingCases: Sendable {
  /// The spacing of the working grid, which all cases have.
  package var spacing: Spacing
  /// Labelled cases, from which crops are sampled.
  package var training: [TrainingCase]
  /// Generated cases, from which a fraction of the crops is sampled.
  package var generated: [TrainingCase]
  /// Cases on which the network is validated.
  package var validation: [TrainingCase]

  /// The cases of a run.
  package init(
    spacing: Spacing = Spacing(1), training: [TrainingCase], generated: [TrainingCase] = [],
    validation: [TrainingCase]
  ) {
    self.spacing = spacing
    self.training = training
    self.generated = generated
    self.validation = validation
  }
}

extension TrainingCases {
  /// The range of the labelled cases' extents in millimetres along each axis of the working grid; nil without a case.
  package func extentsMillimetres(at spacing: Spacing) -> [ClosedRange<Double>]? {
    let sizes = (training + validation).map(\.size)
    guard !sizes.isEmpty else { return nil }
    return (0..<3).map { axis in
      let extents = sizes.map { Double($0[axis]) * spacing[axis] }
      return extents.min()!...extents.max()!
    }
  }

  /// Checks that the cases can train this network.
  /// - Throws: ``InputError``: no training case, another number of images than input channels, an image with fewer voxels along an axis the network's
  ///   total stride, or a crop that is not a multiple of it.
  package func check(for graph: ResolvedGraph, cropSize: GridSize) throws(InputError) {
    guard !training.isEmpty || !generated.isEmpty else {
      throw InputError(
        "training", "no training case", found: "\(validation.count) for validation",
        expected: "at least one beside those of the validation")
    }
    for example in training + generated + validation where example.channelCount != graph.graph.inputChannels {
      throw InputError(
        example.name, "has another number of images than the network has input channels",
        found: "\(example.channelCount)", expected: "\(graph.graph.inputChannels)")
    }
    guard let stride = graph.receptiveField()?.totalStride else { return }
    let multiple = GridSize(stride.w, stride.h, stride.d)
    for axis in 0..<3 where cropSize[axis] % multiple[axis] != 0 {
      throw InputError(
        "--crop", "is not a multiple of the network's total stride", found: "\(cropSize)",
        expected: "multiples of \(multiple)")
    }
    for example in training + validation {
      for axis in 0..<3 where example.size[axis] < multiple[axis] {
        throw InputError(
          example.name, "too small for the network on the working grid", found: "\(example.size) voxels",
          expected: "at least \(multiple), by a smaller --spacing or another --network")
      }
    }
  }

  /// Names of the cases without any of the structures.
  package var negatives: [String] { (training + validation).filter(\.isNegative).map(\.name) }

  /// Checks that every structure occurs in a training case.
  /// - Parameter structures: Names of the classes above 0 in order.
  /// - Throws: ``InputError`` naming the first structure that occurs in no training case.
  package func requireEvery(_ structures: [String]) throws(InputError) {
    for (index, name) in structures.enumerated() {
      guard (training + generated).contains(where: { !$0.foreground[index].isEmpty }) else {
        let holders = validation.filter { !$0.foreground[index].isEmpty }.map(\.name)
        throw InputError(
          "--label \(name)", "occurs in no training case",
          found: holders.isEmpty
            ? "no voxel of it" : "only in validation: \(holders.joined(separator: ", "))",
          expected: "at least one training case with it")
      }
    }
  }
}
