import Screen

/// A step of the tour: a sentence, and what it waits for.
package struct TourStep: Sendable {
  /// What a step waits for.
  package enum Expectation: Equatable, Sendable {
    /// A key that does this.
    case action(Action)
    /// The end of a network that was begun: there is one more version.
    case version
    /// Any key; the tour is over.
    case end
  }

  /// What is to be seen, and what to press.
  package let text: String
  /// What the step waits for.
  package let expectation: Expectation

  fileprivate init(_ text: String, _ expectation: Expectation) {
    (self.text, self.expectation) = (text, expectation)
  }
}

/// The tour of the review on the sample case, under two minutes.
///
/// It stands above the session: a step lets only the key through that it teaches, which does what it always does.
package enum Tour: Equatable, Sendable {
  /// It is offered once, and the offer was said or not.
  case offered(isSaid: Bool)
  /// It is at this step; a network is to add a version to this many.
  case step(Int, versionCount: Int)

  /// The first step.
  package static let begun = Tour.step(0, versionCount: 0)

  /// The steps, in order.
  package static let steps: [TourStep] = [
    TourStep(
      "This is a CT of an abdomen with the labels that a reader drew. PgUp goes to the next slice, PgDn back. Press PgUp.",
      .action(.move(.scroll(1)))),
    TourStep(
      "The arrows move the crosshair; the line below says where it is and which label it is on. Press →.",
      .action(.move(.stepOnScreen(.right)))),
    TourStep(
      "a, c and s choose the axial, coronal and sagittal plane. Press c.",
      .action(.picture(.choosePlane(.coronal)))),
    TourStep("Space hides the labels and shows them again. Press Space.", .action(.overlay(.toggle))),
    TourStep("Now you see the image alone. Press Space again.", .action(.overlay(.toggle))),
    TourStep(
      "b opens the table of labels with their volumes. Press b.",
      .action(.focus(.move(.section(LabelSection().id))))),
    TourStep("In every list ↑ and ↓ move, / searches. Press ↓.", .action(.pointer(.entries(1)))),
    TourStep("Enter goes to the label's largest slice. Press Enter.", .action(.overlay(.jumpToLabel))),
    TourStep("b again, or q, leaves the table. Press b.", .action(.focus(.close))),
    TourStep("m runs a network on the image: here are its models. Press m.", .action(.network(.chooseModel))),
    TourStep("The first one finds the liver in CT. Press Enter to run it.", .action(.answer(.accept))),
    TourStep(
      "It runs behind the screen for some seconds, and you may go on looking at slices with PgUp and PgDn.",
      .version),
    TourStep(
      "The reader's labels are version A, the network's are B. Tab flips between them. Press Tab.",
      .action(.overlay(.flip))),
    TourStep("d shows where they differ. Press d.", .action(.overlay(.toggleDifference))),
    TourStep(
      "n goes to the largest place where they differ, then to the next, and says what it is. Press n.",
      .action(.jump(.next(1)))),
    TourStep("d again shows the labels. Press d.", .action(.overlay(.toggleDifference))),
    TourStep(
      "y accepts the version shown, e rejects it, f flags the case, 1 to 5 give a score. Press y.",
      .action(.verdict(.give(.accepted)))),
    TourStep(
      "z takes back any decision, one after the other; all of them are kept on the disk. Press z.",
      .action(.session(.undo))),
    TourStep(
      "t refines a version with the CRF while you turn its knobs, E exports what you accepted, : takes commands (Tab "
        + "completes), and ? lists all keys. That is the tour; any key ends it.", .end),
  ]
}

extension SessionState {
  /// The step that the tour waits at; nil where there is none.
  package var tourStep: TourStep? {
    guard case .step(let position, _) = tour, review.phase == .reviewing else { return nil }
    return Tour.steps[position]
  }

  /// Takes a key that the tour is about.
  /// - Returns: nil for a key that has nothing to do with it.
  mutating func takeTourKey(_ key: Key) -> [SessionEffect]? {
    guard review.phase == .reviewing, let tour else { return nil }
    switch tour {
    case .offered:
      self.tour = nil
      guard key == .enter, review.dialog == nil else { return nil }
      self.tour = .begun
      cases[current]?.message = nil
      return []
    case .step(let position, let versionCount):
      if key == .escape || key == .control("c") {
        endTour("the tour is over; segdeck tour begins it again")
        return []
      }
      let action = KeyTable.action(key, in: review.keyContext)
      switch Tour.steps[position].expectation {
      case .end:
        endTour("? lists the keys")
        return []
      case .version: return action?.isMove == true ? reduceCase(current, .terminal(.key(key))) : []
      case .action(let expected):
        guard action == expected else { return [] }
        let versions = review.decisions.versions.count
        let effects = reduceCase(current, .terminal(.key(key)))
        self.tour = .step(
          position + 1, versionCount: expected == .answer(.accept) ? versions : versionCount)
        return effects
      }
    }
  }

  private mutating func endTour(_ text: String) {
    tour = nil
    cases[current]?.message = Message(text)
  }

  /// Offers the tour, and goes on where what a step waits for has happened.
  mutating func followTour() {
    guard review.phase == .reviewing else { return }
    switch tour {
    case .offered(isSaid: false):
      tour = .offered(isSaid: true)
      cases[current]?.appendMessage("? lists the keys; first time here? Enter begins a tour of two minutes")
    case .step(let position, let count):
      guard Tour.steps[position].expectation == .version else { return }
      if review.decisions.versions.count > count {
        tour = .step(position + 1, versionCount: count)
      } else if review.jobs[.segmentation] == nil, review.dialog == nil {
        // The network could not run, or was cancelled; its message stays.
        tour = nil
      }
    case .offered, nil: break
    }
  }
}
