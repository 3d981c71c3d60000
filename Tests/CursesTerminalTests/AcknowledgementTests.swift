import CursesTerminal
import Testing

private let start = ContinuousClock.now

private func after(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

@Test("each frame is asked about, and each answer is for one frame")
func answered() {
  var acknowledgements = Acknowledgements()
  #expect([0, 0.1, 0.2].map { acknowledgements.ask(at: after($0)) } == [true, true, true])
  #expect(acknowledgements.unanswered(at: after(0.3)) == 3)
  #expect((0..<4).map { _ in acknowledgements.take() } == [true, true, true, false])
  #expect(acknowledgements.unanswered(at: after(0.3)) == 0)
}

@Test(
  "a terminal that does not answer the first question within two seconds is not asked again, unless it answers late"
)
func silentTerminal() {
  var acknowledgements = Acknowledgements()
  #expect([0, 1.9, 2.1, 60].map { acknowledgements.ask(at: after($0)) } == [true, true, false, false])
  #expect([1.9, 2.1].map { acknowledgements.unanswered(at: after($0)) } == [2, 0])
  let isTaken = acknowledgements.take()
  let isAskedAgain = acknowledgements.ask(at: after(61))
  #expect([isTaken, isAskedAgain] == [true, true])
}

@Test("answers that are lost do not count for ever")
func lostAnswers() {
  var acknowledgements = Acknowledgements()
  _ = acknowledgements.ask(at: after(0))
  _ = acknowledgements.take()
  #expect([3, 4].map { acknowledgements.ask(at: after($0)) } == [true, true])
  #expect([13, 15].map { acknowledgements.unanswered(at: after($0)) } == [2, 0])
  _ = acknowledgements.ask(at: after(15))
  #expect(acknowledgements.unanswered(at: after(15)) == 1)
}
