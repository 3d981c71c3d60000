// A terminal that is read line by line: keys one by one without an echo, and text that is only ever added. No curses.
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_started;

static void enter_modes(void) {
  struct termios modes = terminal_restoration->saved_modes;
  modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
  // Ctrl-S is a key.
  modes.c_iflag &= ~(tcflag_t)IXON;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
  // Ctrl-C is a key, too, which cancels; Ctrl-Z stops the process as ever.
  modes.c_cc[VINTR] = modes.c_cc[VQUIT] = _POSIX_VDISABLE;
  terminal_restoration->program_modes = modes;
  terminal_restoration->is_needed = 1;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

static void leave_modes(void) {
  tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_restoration->saved_modes);
  terminal_restoration->is_needed = 0;
}

int terminal_start_lines(char *message, size_t message_size) {
  if (is_started) return 0;
  if (!session_open_input(message, message_size)) return -1;
  guard_start();
  signals_install();
  is_started = true;
  enter_modes();
  return 0;
}

void terminal_stop_lines(void) {
  if (!is_started) return;
  is_started = false;
  leave_modes();
  guard_stop();
  signals_remove();
  signals_end_process();
}

void terminal_write_lines(const uint8_t *bytes, size_t count) {
  // Whoever cannot read the lines, as after the end of a program that speaks them, must not go on deciding.
  if (!write_all(STDOUT_FILENO, bytes, count)) signals_terminal_gone();
}

/// Stops the process, and goes on when it continues.
static void stop_process(void) {
  leave_modes();
  struct sigaction before, normal = {.sa_handler = SIG_DFL};
  sigaction(SIGTSTP, &normal, &before);
  // The whole foreground process group stops, including a wrapping script, as the terminal driver does it.
  kill(0, SIGTSTP);
  sigaction(SIGTSTP, &before, NULL);
  // A shell may have changed the modes meanwhile; these are restored from now on.
  tcgetattr(STDIN_FILENO, &terminal_restoration->saved_modes);
}

int32_t terminal_read_lines(int32_t timeout_milliseconds, uint8_t *bytes, size_t size) {
  const int64_t deadline = milliseconds_now() + timeout_milliseconds;
  for (;;) {
    if (terminal_end_signal != 0) return -1;
    if (terminal_stop_requested || terminal_was_continued) {
      if (terminal_stop_requested) stop_process();
      terminal_stop_requested = 0;
      terminal_was_continued = 0;
      enter_modes();
    }
    const int64_t left = deadline - milliseconds_now();
    struct pollfd waiting[2] = {
      {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = terminal_state.wake_reader, .events = POLLIN}};
    const int ready = poll(waiting, 2, left > 0 ? (int)left : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    if (waiting[1].revents & POLLIN) {
      char ignored[64];
      while (read(terminal_state.wake_reader, ignored, sizeof ignored) > 0) {}
      if (terminal_end_signal != 0 || terminal_stop_requested || terminal_was_continued) continue;
      if (!(waiting[0].revents & POLLIN)) return 0;
    }
    if (waiting[0].revents & POLLIN) {
      const ssize_t count = read(STDIN_FILENO, bytes, size);
      if (count > 0) return (int32_t)count;
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    }
    if (waiting[0].revents != 0) {
      signals_terminal_gone();
      return -1;
    }
  }
}
