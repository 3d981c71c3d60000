// Starts and restores the terminal: locale, terminal type, modes, suspension, size.
#define _GNU_SOURCE
#include "state.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#undef columns  // a macro of term.h
#include <unistd.h>
#include <wchar.h>

struct terminal_state terminal_state = {.wake_reader = -1, .wake_writer = -1};

static SCREEN *screen;

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

static bool is_set(const char *variable) {
  const char *value = getenv(variable);
  return value != NULL && value[0] != 0;
}

static void note(char *field, size_t size, const char *text) { snprintf(field, size, "%s", text); }

// ---- Locale ---------------------------------------------------------------------------------------------------

static bool codeset_is_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

/// Sets the character type alone (numbers keep their point), and says whether the user's own locale, a substitute
/// for a missing one, or neither gives UTF-8.
static enum locale_kind { LOCALE_UTF8, LOCALE_ASSUMED_UTF8, LOCALE_OTHER } choose_locale(void) {
  const char *name = setlocale(LC_CTYPE, "");
  if (name != NULL && codeset_is_utf8()) return LOCALE_UTF8;
  const bool is_plain = name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
  if (!is_plain) return LOCALE_OTHER;
  // Not set, not installed on this host, or plain C: the terminal is asked whether it reads UTF-8 nevertheless.
  if (setlocale(LC_CTYPE, "C.UTF-8") != NULL && codeset_is_utf8()) return LOCALE_ASSUMED_UTF8;
  setlocale(LC_CTYPE, "C");
  return LOCALE_OTHER;
}

int32_t terminal_locale_is_utf8(void) { return setlocale(LC_CTYPE, "") != NULL && codeset_is_utf8(); }

// ---- Terminal type --------------------------------------------------------------------------------------------

/// Palette entries of a terminfo entry, or -1 when there is none or it cannot move the cursor.
static int colours_of_entry(const char *name) {
  int error;
  if (setupterm(name, STDOUT_FILENO, &error) != OK) return -1;
  const char *place_cursor = tigetstr("cup");
  const int colours = tigetnum("colors");
  del_curterm(cur_term);
  if (place_cursor == NULL || place_cursor == (char *)-1) return -1;
  return colours < 0 ? 0 : colours;
}

/// Chooses the terminfo entry and the colour depth; false when the terminal is unusable.
static bool choose_type(const struct terminal_options *options, bool is_proven, char *message, size_t size) {
  struct terminal_description *description = &terminal_state.description;
  const char *wanted = getenv("TERM");
  if (wanted == NULL || wanted[0] == 0) wanted = "unknown";
  int colours = colours_of_entry(wanted);
  if (colours < 0) {
    // A newer terminal than this host's database knows; dumb and unknown are known, and really cannot.
    if (strcmp(wanted, "dumb") == 0 || strcmp(wanted, "unknown") == 0 ||
        (colours = colours_of_entry("xterm-256color")) < 0) {
      snprintf(message, size, "the terminal type %.40s (TERM) cannot place the cursor, which review --text does not need", wanted);
      return false;
    }
    wanted = "xterm-256color";
  }
  int depth = options->depth;
  if (depth == TERMINAL_DEPTH_AUTOMATIC) {
    const bool has_palette = colours >= 8;
    depth = is_proven        ? TERMINAL_DEPTH_TRUE_COLOUR
            : colours >= 256 ? TERMINAL_DEPTH_256
            : has_palette    ? TERMINAL_DEPTH_SIXTEEN
                             : TERMINAL_DEPTH_MONO;
    if (!is_proven) note(description->depth_reason, sizeof description->depth_reason, "terminfo");
  } else {
    note(description->depth_reason, sizeof description->depth_reason, "asked for");
  }
  // The entry "xterm" states 8 colours, but terminals of that name have 256.
  if (depth >= TERMINAL_DEPTH_256 && colours < 256 && colours_of_entry("xterm-256color") >= 256) {
    wanted = "xterm-256color";
    colours = 256;
  }
  if (depth > TERMINAL_DEPTH_MONO && colours < 8) depth = TERMINAL_DEPTH_MONO;
  description->depth = depth;
  note(description->terminal_name, sizeof description->terminal_name, wanted);
  return true;
}

// ---- Modes ----------------------------------------------------------------------------------------------------

// Of a larger window the upper left part is used: a window says so only by mistake, and frames of its size would take
// seconds and gigabytes.
enum { MAXIMUM_ROWS = 500, MAXIMUM_COLUMNS = 1000 };

static int smaller(int one, int other) { return one < other ? one : other; }

static void read_window_size(void) {
  struct winsize window = {0};
  terminal_state.description.cell_aspect = 2;
  terminal_state.description.cell_width = terminal_state.description.cell_height = 0;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0) {
    terminal_state.rows = smaller(window.ws_row, MAXIMUM_ROWS);
    terminal_state.columns = smaller(window.ws_col, MAXIMUM_COLUMNS);
    if (window.ws_xpixel > 0 && window.ws_ypixel > 0) {
      const double aspect = ((double)window.ws_ypixel / window.ws_row) / ((double)window.ws_xpixel / window.ws_col);
      if (aspect >= 1 && aspect <= 4) terminal_state.description.cell_aspect = aspect;
      // Whole pixels: what is left over is a margin.
      terminal_state.description.cell_width = window.ws_xpixel / window.ws_col;
      terminal_state.description.cell_height = window.ws_ypixel / window.ws_row;
    }
  } else {
    terminal_state.rows = smaller(LINES, MAXIMUM_ROWS);
    terminal_state.columns = smaller(COLS, MAXIMUM_COLUMNS);
  }
}

void session_resize(void) {
  read_window_size();
  resize_term(terminal_state.rows, terminal_state.columns);
  terminal_redraw();
}

/// Sets the modes that ncurses does not set, after newterm or a suspension.
static void enter_program_mode(void) {
  tcgetattr(STDIN_FILENO, &terminal_restoration->program_modes);
  terminal_restoration->is_needed = 1;
  if (terminal_state.reports_mouse) write_all(STDOUT_FILENO, mouse_on, sizeof mouse_on - 1);
  errors_capture();
}

static void leave_program_mode(void) {
  terminal_remove_pictures();
  terminal_set_mouse_cell(0, 0, 1);
  if (terminal_state.reports_mouse) write_all(STDOUT_FILENO, mouse_off, sizeof mouse_off - 1);
  input_finish();
  endwin();
  // The shell's prompt must not stand on the last line of the frame.
  if (!has_screen_of_its_own()) write_all(STDOUT_FILENO, "\r\n", 2);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_restoration->saved_modes);
  terminal_restoration->is_needed = 0;
  errors_release();
}

static void return_to_program_mode(void) {
  reset_prog_mode();
  enter_program_mode();
  session_resize();
  clearok(curscr, TRUE);
  wrefresh(curscr);
}

void terminal_suspend(void) {
  leave_program_mode();
  struct sigaction before, normal = {.sa_handler = SIG_DFL};
  sigaction(SIGTSTP, &normal, &before);
  // The whole foreground process group stops, including a wrapping script, as the terminal driver does it.
  kill(0, SIGTSTP);
  sigaction(SIGTSTP, &before, NULL);
  terminal_stop_requested = 0;
  terminal_was_continued = 0;
  // A shell may have changed the modes meanwhile; these are restored from now on.
  tcgetattr(STDIN_FILENO, &terminal_restoration->saved_modes);
  return_to_program_mode();
}

void session_continued(void) {
  // After SIGSTOP, which cannot be caught, the shell used the terminal, so it is set up again.
  endwin();
  return_to_program_mode();
}

// ---- Start and stop -------------------------------------------------------------------------------------------

static bool open_wake_pipe(void) {
  if (terminal_state.wake_reader >= 0) return true;
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return false;
  terminal_state.wake_reader = ends[0];
  terminal_state.wake_writer = ends[1];
  return true;
}

bool session_open_input(char *message, size_t message_size) {
  if (!isatty(STDIN_FILENO)) {
    snprintf(message, message_size, "standard input is not a terminal");
    return false;
  }
  if (tcgetattr(STDIN_FILENO, &terminal_restoration->saved_modes) != 0 || !open_wake_pipe()) {
    snprintf(message, message_size, "the terminal cannot be read: %s", strerror(errno));
    return false;
  }
  return true;
}

// Whether the terminal was asked for 24-bit colour, because nothing else said how many colours to use.
static bool is_colour_asked;

void terminal_take_true_colour(void) {
  struct terminal_description *description = &terminal_state.description;
  if (!terminal_state.is_started || !is_colour_asked || description->depth == TERMINAL_DEPTH_MONO) return;
  if (description->depth == TERMINAL_DEPTH_TRUE_COLOUR) return;
  description->depth = TERMINAL_DEPTH_TRUE_COLOUR;
  note(description->depth_reason, sizeof description->depth_reason, "the terminal's answer");
  // Cells are drawn by another writer from now on.
  werase(stdscr);
  terminal_redraw();
}

/// Detects depth and character set from the environment and, where that is not enough, from the terminal's answers.
/// Returns whether 24-bit colour is certain.
static bool examine(const struct terminal_options *options) {
  struct terminal_description *description = &terminal_state.description;
  const char *type = getenv("TERM") != NULL ? getenv("TERM") : "";
  const char *promise = getenv("COLORTERM");
  const bool is_promised =
      promise != NULL && (strcmp(promise, "truecolor") == 0 || strcmp(promise, "24bit") == 0);
  // These print unknown sequences, or pass them on to another terminal.
  const bool is_simple = begins(type, "vt") || begins(type, "linux") || begins(type, "dumb") ||
                         begins(type, "ansi") || begins(type, "screen") || type[0] == 0;
  const enum locale_kind locale = choose_locale();
  const bool ask_utf8 = locale == LOCALE_ASSUMED_UTF8 && !options->ascii_only && !begins(type, "dumb");
  const bool ask_colour = options->depth == TERMINAL_DEPTH_AUTOMATIC && !is_promised && !is_simple;
  is_colour_asked = ask_colour;
  struct probe_answer answer = {0};
  if (ask_utf8 || ask_colour) {
    answer = terminal_probe(ask_colour, ask_utf8);
    description->probe_is_late = !answer.is_answered;
  }
  description->shows_unicode = !options->ascii_only && (locale == LOCALE_UTF8 || answer.shows_utf8);
  note(description->unicode_reason, sizeof description->unicode_reason,
       options->ascii_only     ? "asked for"
       : locale == LOCALE_UTF8 ? "locale"
       : !ask_utf8             ? "the locale is not UTF-8"
       : answer.shows_utf8     ? "the locale is not UTF-8, but the terminal drew a test character"
                               : "the locale is not UTF-8, nor did a test succeed");
  note(description->depth_reason, sizeof description->depth_reason,
       is_promised ? "COLORTERM" : answer.has_true_colour ? "the terminal's answer" : "terminfo");
  terminal_state.reports_mouse = !(begins(type, "vt") || begins(type, "linux") || begins(type, "ansi"));
  return (is_promised || answer.has_true_colour) && !is_simple;
}

/// Starts ncurses, which refuses very large windows, with the part of the window that is used.
static SCREEN *start_curses(void) {
  struct winsize window = {0};
  const bool is_too_large = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 &&
                            (window.ws_row > MAXIMUM_ROWS || window.ws_col > MAXIMUM_COLUMNS);
  if (is_too_large) {
    char number[16];
    snprintf(number, sizeof number, "%d", smaller(window.ws_row, MAXIMUM_ROWS));
    setenv("LINES", number, 1);
    snprintf(number, sizeof number, "%d", smaller(window.ws_col, MAXIMUM_COLUMNS));
    setenv("COLUMNS", number, 1);
  }
  SCREEN *started = newterm(terminal_state.description.terminal_name, stdout, stdin);
  if (is_too_large) {
    unsetenv("LINES");
    unsetenv("COLUMNS");
  }
  return started;
}

int terminal_start(const struct terminal_options *options, char *message, size_t message_size) {
  if (terminal_state.is_started) return 0;
  if (!session_open_input(message, message_size)) return -1;
  if (!isatty(STDOUT_FILENO)) {
    snprintf(message, message_size, "standard output is not a terminal");
    return -1;
  }
  memset(&terminal_state.description, 0, sizeof terminal_state.description);
  terminal_state.unfinished_answer[0] = 0;
  const bool is_proven = examine(options);
  if (!choose_type(options, is_proven, message, message_size)) return -1;

  guard_start();
  // Before newterm, because ncurses does not replace existing signal handlers.
  signals_install();
  screen = start_curses();
  if (screen == NULL) {
    guard_stop();
    signals_remove();
    tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_restoration->saved_modes);
    snprintf(message, message_size, "ncurses cannot use the terminal type %s",
             terminal_state.description.terminal_name);
    return -1;
  }
  signals_prepare_reset();
  raw();
  noecho();
  nonl();
  set_escdelay(is_set("SSH_CONNECTION") ? 60 : 25);
  read_window_size();
  resize_term(terminal_state.rows, terminal_state.columns);
  draw_start();
  input_start();
  static bool is_registered;
  if (!is_registered) atexit(terminal_stop);
  is_registered = true;
  terminal_state.is_started = true;
  enter_program_mode();
  return 0;
}

void terminal_stop(void) {
  if (!terminal_state.is_started) return;
  terminal_state.is_started = false;
  leave_program_mode();
  guard_stop();
  signals_remove();
  draw_stop();
  delscreen(screen);
  screen = NULL;
  errors_replay();
  signals_end_process();
}

void terminal_describe(struct terminal_description *description) {
  *description = terminal_state.description;
}

void terminal_size(int32_t *rows, int32_t *columns) {
  *rows = terminal_state.rows;
  *columns = terminal_state.columns;
}

int32_t terminal_width(uint32_t character) { return wcwidth((wchar_t)character); }
