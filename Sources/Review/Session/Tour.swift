import Screen

/// A step of the tour: a sentence on the screen, and the event that ends the step.
package struct TourStep: Sendable {
  /// The event that ends a step.
  package enum Expectation: Equatable, Sendable {
    /// A key with this action.
    case action(Action)
    /// A running network ends and adds a version.
    case version
    /// Any key, which ends the tour.
    case end
  }

  /// What the screen shows, and the key to press.
  package let text: String
  /// The event that ends the step.
  package let expectation: Expectation

  fileprivate init(_ text: String, _ expectation: Expectation) {
    (self.text, self.expectation) = (text, expectation)
  }
}

/// The tour of the review on the sample case, under two minutes.
///
/// A step passes only the key that it teaches to the session, where the key has its usual action.
package enum Tour: Equatable, Sendable {
  /// Enter starts the tour; `isAnnounced` is whether the message that says so was shown.
  case offered(isAnnounced: Bool)
  /// The tour is at a step, counted from 0; `versionCount` is the number of versions before the network ran.
  case step(Int, versionCount: Int)

  /// The tour at its first step.
  package static let firstStep = Tour.step(0, versionCount: 0)

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

  /// Handles a key that the tour expects or ignores.
  /// - Returns: The effects; nil for a key that the session handles as it does without the tour.
  mutating func takeTourKey(_ key: Key) -> [SessionEffect]? {
    guard review.phase == .reviewing, let tour else { return nil }
    switch tour {
    case .offered:
      self.tour = nil
      guard key == .enter, review.dialog == nil else { return nil }
      self.tour = .firstStep
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
        guard action == expected else {
          cases[current]?.message = Message(
            "this step waits for the key that it names; Esc ends the tour", .warning)
          return []
        }
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

  /// Announces the tour where it is offered, and goes to the next step where a network has added its version.
  mutating func advanceTour() {
    guard review.phase == .reviewing else { return }
    switch tour {
    case .offered(isAnnounced: false):
      tour = .offered(isAnnounced: true)
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
