import Work

/// Stores a new line, if one is given, then reads the lines that were typed in this and earlier sessions.
package struct CommandHistoryJob: Job {
  /// A line that was typed after a prompt.
  package struct Line: Equatable, Sendable {
    package var prompt: CommandLine.Prompt
    package var text: String

    package init(_ prompt: CommandLine.Prompt, _ text: String) { (self.prompt, self.text) = (prompt, text) }
  }

  package static let kind = JobKind.commandHistory
  /// The new line; nil for none.
  package var adding: Line?

  package init(adding: Line? = nil) { self.adding = adding }

  package func run(in environment: JobEnvironment, _ work: WorkContext) throws -> CommandHistory {
    try environment.services.commandHistory(adding: adding)
  }

  package func reduce(_ state: inout ReviewState, _ outcome: CommandHistory) -> [ReviewEffect] {
    state.receive(outcome)
    return []
  }

  /// A failure changes nothing: the lines of this session are in memory.
  package func reduceFailure(_ state: inout ReviewState, _ line: String) -> [ReviewEffect] {
    state.messageLog.add(Message("the commands are not kept for later: \(line)", .warning))
    return []
  }
}
