// Signals that end the process restore the terminal first; those of job control and resizing set a flag and end the
// wait for events.
#define _GNU_SOURCE
#include "state.h"

#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

volatile sig_atomic_t terminal_was_resized, terminal_was_continued, terminal_stop_requested;
volatile sig_atomic_t terminal_end_signal;

static const int fatal[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGTRAP, SIGABRT, SIGFPE,  SIGSYS,  SIGQUIT, SIGHUP,
                            SIGTERM, SIGINT,  SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ};
static const int noted[] = {SIGWINCH, SIGCONT, SIGTSTP};
enum { FATAL = sizeof fatal / sizeof *fatal, NOTED = sizeof noted / sizeof *noted };

static struct sigaction fatal_before[FATAL], noted_before[NOTED];
static bool is_installed;

/// Appends a terminfo string without its padding, "$<...>".
static void append(const char *text) {
  struct terminal_restoration *to = terminal_restoration;
  if (text == NULL || text == (char *)-1) return;
  while (*text != 0 && to->reset_length < RESET_CAPACITY - 1) {
    if (text[0] == '$' && text[1] == '<') {
      const char *end = strchr(text, '>');
      if (end != NULL) {
        text = end + 1;
        continue;
      }
    }
    to->reset[to->reset_length++] = *text++;
  }
}

void terminal_set_picture_removal(const uint8_t *bytes, size_t count) {
  struct terminal_restoration *to = terminal_restoration;
  to->removal_length = 0;
  if (count == 0 || count > REMOVAL_CAPACITY) return;
  memcpy(to->removal, bytes, count);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  to->removal_length = (sig_atomic_t)count;
}

void terminal_remove_pictures(void) {
  const struct terminal_restoration *from = terminal_restoration;
  if (from->removal_length == 0) return;
  // A picture may have been cut: the string that it is sent in ends first.
  write_all(STDOUT_FILENO, "\033\\", 2);
  write_all(STDOUT_FILENO, from->removal, (size_t)from->removal_length);
}

bool has_screen_of_its_own(void) {
  const char *leave = tigetstr("rmcup");
  return leave != NULL && leave != (char *)-1;
}

void signals_prepare_reset(void) {
  terminal_restoration->reset_length = 0;
  if (terminal_state.reports_mouse) {
    // A frame may have been cut.
    append("\033[?2026l");
    append(mouse_off);
  }
  append(tigetstr("sgr0"));
  append(tigetstr("rmkx"));
  append(tigetstr("cnorm"));
  append(tigetstr("rmcup"));
  if (!has_screen_of_its_own()) append("\033[999;1H\r\n");
}

static void restore_modes(void) {
  struct terminal_restoration *from = terminal_restoration;
  if (!from->is_needed) return;
  from->is_needed = 0;
  // A process in the background may not be stopped here for touching the terminal.
  signal(SIGTTOU, SIG_IGN);
  terminal_remove_pictures();
  write_all(STDOUT_FILENO, from->reset, from->reset_length);
  tcsetattr(STDIN_FILENO, TCSANOW, &from->saved_modes);
  errors_release();
  errors_replay();
}

static void (*before_the_end)(void);

void terminal_on_end(void (*action)(void)) { before_the_end = action; }

// Signals that request the end of the process, which may finish its work first. After the others it cannot continue.
static const int asking[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGXCPU};
enum { ASKING = sizeof asking / sizeof *asking, PATIENCE_SECONDS = 10 };
static bool reports_end;

void terminal_report_end(void) { reports_end = true; }

void signals_end_process(void) {
  if (terminal_end_signal == 0) return;
  signal(terminal_end_signal, SIG_DFL);
  raise(terminal_end_signal);
}

/// Stores a signal that requests the end of the process; false when the process must end at once.
static bool note_end(int number) {
  if (!reports_end) return false;
  bool is_asking = false;
  for (int i = 0; i < ASKING; i++) is_asking = is_asking || asking[i] == number;
  if (!is_asking) return false;
  // On a hang-up both the shell and the terminal send the signal; the second one is ignored.
  if (terminal_end_signal != 0) return true;
  terminal_end_signal = number;
  alarm(PATIENCE_SECONDS);
  const int before = errno;
  terminal_wake();
  errno = before;
  return true;
}

void terminal_restore(void) { restore_modes(); }

static void on_fatal(int number) {
  if (note_end(number)) return;
  // The ten seconds are over.
  if (number == SIGALRM && terminal_end_signal != 0) number = terminal_end_signal;
  if (before_the_end != NULL) before_the_end();
  restore_modes();
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  pthread_sigmask(SIG_UNBLOCK, &only, NULL);
  raise(number);
  _exit(128 + number);
}

void signals_terminal_gone(void) { on_fatal(SIGHUP); }

static void on_noted(int number) {
  const int before = errno;
  if (number == SIGWINCH) terminal_was_resized = 1;
  if (number == SIGCONT) terminal_was_continued = 1;
  if (number == SIGTSTP) terminal_stop_requested = 1;
  terminal_wake();
  errno = before;
}

void signals_install(void) {
  if (is_installed) return;
  is_installed = true;
  terminal_end_signal = 0;
  // An alternate stack, so that a stack overflow of this thread can be handled too.
  static char stack[64 * 1024];
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_handler = on_fatal, .sa_flags = SA_ONSTACK};
  sigfillset(&action.sa_mask);
  for (int i = 0; i < FATAL; i++) {
    sigaction(fatal[i], NULL, &fatal_before[i]);
    // A signal that the parent process ignores, as nohup does, stays ignored.
    if (fatal_before[i].sa_handler == SIG_IGN) continue;
    sigaction(fatal[i], &action, NULL);
  }
  struct sigaction note = {.sa_handler = on_noted, .sa_flags = SA_RESTART};
  sigfillset(&note.sa_mask);
  for (int i = 0; i < NOTED; i++) sigaction(noted[i], &note, &noted_before[i]);
  // A parent may have left them blocked.
  sigset_t handled;
  sigemptyset(&handled);
  for (int i = 0; i < FATAL; i++) sigaddset(&handled, fatal[i]);
  for (int i = 0; i < NOTED; i++) sigaddset(&handled, noted[i]);
  pthread_sigmask(SIG_UNBLOCK, &handled, NULL);
}

void signals_remove(void) {
  if (!is_installed) return;
  is_installed = false;
  for (int i = 0; i < FATAL; i++) sigaction(fatal[i], &fatal_before[i], NULL);
  for (int i = 0; i < NOTED; i++) sigaction(noted[i], &noted_before[i], NULL);
}
