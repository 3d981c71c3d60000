import Foundation
import Networks
import TestSupport
import Testing
import Work

@Suite("Optimisers")
struct OptimiserTests {
  /// Steps of PyTorch's optimisers, by the text of the optimiser.
  private struct GoldenSteps: Decodable {
    let rate, decay: Double
    let start: [Float]
    let gradients: [[Float]]
    let steps: [String: [[Double]]]
  }

  @Test("the weights after each step are PyTorch's")
  func steps() throws {
    let file = checkout.appending(path: "Tests/NetworksTests/Golden/optimisers.json")
    let golden = try JSONDecoder().decode(GoldenSteps.self, from: Data(contentsOf: file))
    #expect(golden.steps.count == 8)
    for (text, expected) in golden.steps {
      let optimiser = try Optimiser(text, option: "--optimiser")
      for threads in [1, 3] {
        var (values, state) = (golden.start, OptimiserState())
        for (gradient, expected) in zip(golden.gradients, expected) {
          optimiser.update(
            &values, name: "w", gradient: gradient,
            step: Optimiser.Step(rate: golden.rate, decay: golden.decay), state: &state,
            work: WorkContext(threadCount: threads))
          state.countStep()
          let error = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
          #expect(error < 2e-6, "\(text)")
        }
      }
    }
  }

  @Test("an optimiser is its text, and numbers that are left out have PyTorch's defaults")
  func texts() throws {
    for optimiser in Optimiser.all {
      #expect(try Optimiser(optimiser.setting.description, option: "--optimiser") == optimiser)
    }
    #expect(try Optimiser("rmsprop( momentum = 0.5 )", option: "--optimiser") == .rmsProp(momentum: 0.5))
    #expect(try Optimiser("adam", option: "--optimiser") == .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
    #expect(
      Optimiser.all.map(\.setting.description) == [
        "sgd(momentum=0.9)", "nesterov(momentum=0.9)", "adam(beta1=0.9,beta2=0.999,epsilon=1e-08)",
        "adamw(beta1=0.9,beta2=0.999,epsilon=1e-08)", "rmsprop(alpha=0.99,epsilon=1e-08,momentum=0)",
      ])
  }

  @Test(
    "a text that names no optimiser or none of its numbers is refused",
    arguments: [
      ("lion", "--optimiser: unknown: found lion, expected sgd, nesterov, adam, adamw, rmsprop"),
      (
        "sgd(beta1=1)",
        "--optimiser: sgd cannot have beta1=1: found sgd(beta1=1), expected sgd(momentum=0.9)"
      ),
      (
        "sgd(momentum=0.5,momentum=0.6)",
        "--optimiser: sgd cannot have momentum=0.6: found sgd(momentum=0.5,momentum=0.6), "
          + "expected sgd(momentum=0.9)"
      ),
      ("sgd(", "--optimiser: cannot be read: found sgd(, expected sgd(momentum=0.9)"),
      (
        "sgd(momentum=nan)",
        "--optimiser: sgd cannot have momentum=nan: found sgd(momentum=nan), "
          + "expected sgd(momentum=0.9)"
      ),
    ])
  func refused(text: String, line: String) {
    #expect(refusal { _ = try Optimiser(text, option: "--optimiser") } == line)
  }

  @Test("numbers out of range are refused before a training begins")
  func ranges() {
    func line(_ optimiser: Optimiser) -> String {
      refusal { try TrainingOptions(optimiser: optimiser, schedule: .constant(rate: 0.1)).validated() }
    }
    for optimiser in Optimiser.all { #expect(line(optimiser) == "accepted") }
    #expect(line(.momentum(1)).hasSuffix("expected momentum of 0 to below 1"))
    #expect(line(.adam(beta1: -0.1)).hasSuffix("expected beta1 of 0 to below 1"))
    #expect(line(.adamW(epsilon: 0)).hasSuffix("expected epsilon of 1e-30 to 1"))
    #expect(line(.rmsProp(alpha: 1.5)).hasSuffix("expected alpha of 0 to below 1"))
  }

  @Test("checkpoints of earlier releases keep their optimisers")
  func earlierNames() throws {
    func decoded(_ text: String) throws -> Optimiser {
      try JSONDecoder().decode(Optimiser.self, from: Data(text.utf8))
    }
    #expect(
      try decoded(#"{"momentum": {"_0": 0.9, "isNesterov": true}}"#) == .momentum(0.9, isNesterov: true))
    #expect(
      try decoded(#"{"adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}}"#) == .adamW())
  }

  @Test("a schedule is what its text says, and its lengths follow the run where the text says nothing")
  func schedules() throws {
    func schedule(_ text: String) throws -> LearningRateSchedule {
      try LearningRateSchedule(text, rate: 0.1, iterations: 600, option: "--schedule")
    }
    #expect(try schedule("constant") == .constant(rate: 0.1))
    #expect(try schedule("steps") == .steps(rate: 0.1, interval: 200))
    #expect(try schedule("steps(every=50,factor=0.5)") == .steps(rate: 0.1, interval: 50, factor: 0.5))
    #expect(try schedule("poly") == .polynomial(rate: 0.1, iterations: 600))
    #expect(try schedule("poly(power=2)") == .polynomial(rate: 0.1, power: 2, iterations: 600))
    #expect(try schedule("cosine") == .warmUpCosine(rate: 0.1, warmUp: 30, iterations: 600))
    for text in ["steps", "cosine", "poly"] {
      #expect(throws: Never.self) {
        _ = try LearningRateSchedule(text, rate: 0.1, iterations: 0, option: "--schedule")
      }
    }
    #expect(try schedule("cosine(warmup=0)") == .warmUpCosine(rate: 0.1, warmUp: 0, iterations: 600))
    #expect(
      refusal { _ = try schedule("linear") }
        == "--schedule: unknown: found linear, expected constant, steps, poly, cosine")
    #expect(
      refusal { _ = try schedule("steps(every=0)") }
        == "--schedule: every is not a number of iterations: found 0, expected 1 to 600")
    #expect(
      refusal { _ = try schedule("cosine(warmup=601)") }
        == "--schedule: warmup is not a number of iterations: found 601, expected 0 to 600")
    let changed = try schedule("cosine(warmup=7)").with(rate: 0.2, iterations: 90)
    #expect(changed == .warmUpCosine(rate: 0.2, warmUp: 7, iterations: 90) && changed.initialRate == 0.2)
  }
}
