import Foundation
import Segmentation
import Testing
import Work

private func record(_ iteration: Int, loss: Double, dice: [Double]? = nil) -> TrainingRecord {
  TrainingRecord(
    iteration: iteration, iterations: 40, loss: loss, headLosses: [loss, 1], learningRate: 0.1,
    gradientNorm: 1, elapsedSeconds: 1, remainingSeconds: 2, validationDice: dice)
}

@Test("losses are smoothed over the last records, and as a plain mean at the start")
func smoothing() {
  let records = [record(10, loss: 4), record(20, loss: 2), record(30, loss: 0)]
  #expect(records.smoothedLoss.map(\.value) == [4, 3, 2])
  let many = [Double](repeating: 0, count: 20).enumerated().map { record($0.offset + 1, loss: $0.element) }
  #expect((many + [record(21, loss: 1)]).smoothedLoss.last?.value == 0.2)
  #expect(records.smoothedHeadLoss(1).map(\.value) == [1, 1, 1])
  #expect(records.smoothedHeadLoss(2).isEmpty)
}

@Test("several runs are one curve: mean, smallest and largest of those that have the step")
func groupedRuns() {
  let curve = LearningCurve(name: "a", runs: [[(10, 1), (20, 2)], [(10, 3)]])
  #expect(
    curve.points.map { [Double($0.iteration), $0.value, $0.lower, $0.upper] } == [
      [10, 2, 1, 3], [20, 2, 2, 2],
    ])
  let records = [record(10, loss: 1), record(20, loss: 1, dice: [0.5, 0.75])]
  #expect(records.validation.map(\.iteration) == [20])
  #expect(records.validation.map(\.value) == [0.625])
}

@Test("a plot of characters draws the line between its axes")
func textPlot() {
  let curve = LearningCurve(name: "loss", runs: [[(0, 4), (10, 2), (20, 0)]])
  var plot = TextPlot(title: "loss", curves: [curve], iterations: 20, columns: 17, rows: 6)
  #expect(
    plot.lines == [
      "loss             ", "     4│⠑⠤⡀       ", "      │  ⠈⠒⢄     ", "      │     ⠑⢄⡀  ", "     0│       ⠈⠢⢄",
      "      0       20 ",
    ])
  plot.showsUnicode = false
  #expect(
    plot.lines == [
      "loss             ", "     4|***       ", "      |  ***     ", "      |     ***  ", "     0|       ***",
      "      0       20 ",
    ])
}

@Test("a picture holds a line per curve, a band where runs differ, and names with their signs escaped")
func picture() {
  let alone = LearningCurve(name: "a < b", runs: [[(0, 1), (10, 0)]])
  let several = LearningCurve(name: "c", runs: [[(0, 1), (10, 0.5)], [(0, 2), (10, 1)]])
  let svg = CurvePicture(plots: [.init(title: "loss & Dice", curves: [alone, several])]).svg
  #expect(svg.hasPrefix("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 480 320\""))
  #expect(svg.components(separatedBy: "<polyline").count == 3)
  #expect(svg.components(separatedBy: "<polygon").count == 2)
  #expect(svg.contains("a &lt; b") && svg.contains("loss &amp; Dice"))
  // 0 to 2 is the axis: the first curve goes from the middle to the bottom.
  #expect(svg.contains("<polyline points=\"52.0,142.0 466.0,250.0\""))
}

@Test("a log keeps the later of two records of a step, forgives a cut last line, and names a wrong one")
func logs() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/log"
    func write(_ text: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }
    let lines = [record(10, loss: 1), record(20, loss: 2), record(10, loss: 3)].map { $0.jsonLine + "\n" }
    try write(lines.joined() + "{\"iter")
    #expect(try TrainingRecord.read(log: path).map(\.loss) == [3])
    try write(lines[0] + "nonsense\n" + lines[1])
    #expect(
      throws: InputError(
        path, "line 2 is no training record", found: "nonsense",
        expected: "a JSON object as `segdeck train --log` writes it")
    ) { try TrainingRecord.read(log: path) }
    let infinite = record(10, loss: .infinity).jsonLine
    #expect(infinite.contains(#""loss":"inf""#))
    try write(infinite + "\n")
    #expect(
      throws: InputError(path, "line 1: a number is unusable", found: "inf", expected: "at most 1e+100")
    ) { try TrainingRecord.read(log: path) }
  }
}
