import Networks
import Tensors
import Work

extension Operator {
  /// Normalisations.
  static let normalisations: [String: Operator] = [
    "BatchNormalization": .ofSignal(
      "epsilon", "momentum", "training_mode", "spatial", "is_test", "consumed_inputs"
    ) { graph, call, input throws(InputError) in
      try call.require("training_mode", is: 0)
      try call.require("spatial", is: 1)
      let isTest = try call.integer("is_test", absent: 0) == 1
      guard call.opset > 6 || isTest else {
        throw call.failure("normalises by the batch", expected: "is_test 1: by running statistics")
      }
      guard call.node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
        throw call.failure("has outputs of training", expected: "one output")
      }
      let input = try call.spatialSignal(0)
      let count = input.channels
      return try graph.emit(
        BatchNormalisationOperation(epsilon: call.float("epsilon", absent: 1e-5)), from: [input],
        tensors: [
          .weight: call.channelNumbers(1, count), .bias: call.channelNumbers(2, count),
          .runningMean: call.channelNumbers(3, count), .runningVariance: call.channelNumbers(4, count),
        ], weight: call.constant(1), call)
    },
    "InstanceNormalization": Operator("epsilon", "consumed_inputs") { graph, call throws(InputError) in
      let epsilon = try call.float("epsilon", absent: 1e-5)
      if case .signal(var input) = call[0], let grouping = input.grouping {
        guard grouping.epsilon == nil, try call.isIdentity(count: grouping.groups) else {
          throw call.failure(
            "normalises groups of channels with factors of its own",
            expected: "factors of 1 and summands of 0")
        }
        input.grouping?.epsilon = epsilon
        return [.signal(input)]
      }
      let input = try call.spatialSignal(0)
      let isIdentity = try call.isIdentity(count: input.channels)
      let output = try graph.emit(
        .instanceNormalisation(epsilon: epsilon, isAffine: !isIdentity), from: [input],
        tensors: isIdentity
          ? [:]
          : [
            .weight: call.channelNumbers(1, input.channels), .bias: call.channelNumbers(2, input.channels),
          ], weight: call.constant(1), call)
      return [.signal(output)]
    },
    "GroupNormalization": .ofSignal("epsilon", "num_groups", "stash_type") {
      graph, call, _ throws(InputError) in
      let input = try call.spatialSignal(0)
      let groups = try call.integer("num_groups", absent: 0)
      guard groups > 0, input.channels.isMultiple(of: groups) else {
        throw call.failure(
          "its num_groups", found: "\(groups)", expected: "a divisor of \(input.channels) channels")
      }
      // Up to version 20 there is a factor for each group, since 21 for each channel.
      let perGroup = call.opset < 21
      func numbers(_ index: Int) throws(InputError) -> Tensor {
        let numbers = try call.channelNumbers(index, perGroup ? groups : input.channels)
        let size = perGroup ? input.channels / groups : 1
        return Tensor(
          shape: [input.channels], elements: numbers.elements.flatMap { [Float](repeating: $0, count: size) })
      }
      return try graph.emit(
        .groupNormalisation(groups: groups, epsilon: call.float("epsilon", absent: 1e-5)), from: [input],
        tensors: [.weight: numbers(1), .bias: numbers(2)], weight: call.constant(1), call)
    },
  ]
}

extension OperatorCall {
  /// Whether all factors of a normalisation are 1 and its summands 0.
  fileprivate func isIdentity(count: Int) throws(InputError) -> Bool {
    let (scale, shift) = (try channelNumbers(1, count), try channelNumbers(2, count))
    return scale.elements.allSatisfy { $0 == 1 } && shift.elements.allSatisfy { $0 == 0 }
  }
}
