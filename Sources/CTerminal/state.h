// Declarations that the files of this target share. Not visible outside it.
#pragma once

#include "terminal.h"

#include <signal.h>
#include <stdbool.h>
#include <termios.h>
#include <time.h>

enum { PROBE_CAPACITY = 1024 };

/// The one terminal.
struct terminal_state {
  bool is_started;
  struct terminal_description description;
  /// What was read before ncurses started of an answer whose rest is late, from its Escape on; empty for none.
  char unfinished_answer[PROBE_CAPACITY];
  int wake_reader, wake_writer;
  bool reports_mouse;
  int rows, columns;
};

extern struct terminal_state terminal_state;

/// Set by signal handlers, cleared by the event loop.
extern volatile sig_atomic_t terminal_was_resized, terminal_was_continued, terminal_stop_requested;

/// The signal that asked the process to end, 0 for none; set by a handler and never cleared.
extern volatile sig_atomic_t terminal_end_signal;

enum { RESET_CAPACITY = 512, REMOVAL_CAPACITY = 512 };

/// What restores the terminal when the process ends: for the handlers of signals, and for the guard, which shares it.
struct terminal_restoration {
  /// Whether the terminal is in the program's modes now.
  volatile sig_atomic_t is_needed;
  /// The user's modes, and the program's.
  struct termios saved_modes, program_modes;
  /// What endwin would send, which is not async-signal-safe.
  char reset[RESET_CAPACITY];
  size_t reset_length;
  /// What removes the pictures; its length is 0 while it is being changed, as a signal may come in between.
  uint8_t removal[REMOVAL_CAPACITY];
  volatile sig_atomic_t removal_length;
};

extern struct terminal_restoration *terminal_restoration;

/// Starts the process that restores the terminal should this one be killed; without one where the system refuses it.
void guard_start(void);

/// Ends that process, unless there is none.
void guard_stop(void);

/// The terminal's answers to queries before ncurses started.
struct probe_answer {
  bool is_answered;
  bool has_true_colour;
  bool shows_utf8;
};

struct probe_answer terminal_probe(bool ask_colour, bool ask_utf8);

void signals_install(void);
void signals_remove(void);
void signals_prepare_reset(void);

/// Whether the terminal restores what its screen showed before the program.
bool has_screen_of_its_own(void);

/// Handles the loss of the terminal as a hang-up, also where the signal is ignored.
void signals_terminal_gone(void);

/// Ends the process by the signal that asked for it, if one did.
void signals_end_process(void);

/// Keeps the modes of the terminal at the standard input and opens the pipe that ends a wait for events, unless it is open.
/// Returns false with one line in `message` where there is none, or the system cannot.
bool session_open_input(char *message, size_t message_size);

void errors_capture(void);
void errors_release(void);
void errors_replay(void);

void draw_start(void);
void draw_stop(void);

void input_start(void);

/// Waits for the answers that the terminal still owes, so that they do not become input of the shell; keys are lost.
void input_finish(void);

static inline int64_t milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/// Writes all bytes; false where they cannot be written.
bool write_all(int descriptor, const void *bytes, size_t count);

static const char mouse_on[] = "\033[?1000h\033[?1002h\033[?1006h\033[?2004h";
// Reports in pixels and of focus, too, which the program may have requested later.
static const char mouse_off[] = "\033[?2004l\033[?1016l\033[?1006l\033[?1004l\033[?1002l\033[?1000l";
