// Keys, mouse, paste and resizing. ncurses reads and decodes; sequences that terminfo entries leave out or get wrong
// (mouse reports under tmux, paste marks, keys of an entry too plain) are taught to it with define_key.
#define _GNU_SOURCE
#include "state.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

void session_resize(void);
void session_continued(void);

/// The program's key codes, above those of ncurses and of its extended entries.
enum { CODE_SGR_MOUSE = 5000, CODE_X10_MOUSE, CODE_PASTE_START, CODE_PASTE_END };

static const struct { const char *sequence; int code; } taught[] = {
  {"\033[<", CODE_SGR_MOUSE}, {"\033[M", CODE_X10_MOUSE}, {"\033[200~", CODE_PASTE_START},
  {"\033[201~", CODE_PASTE_END}, {"\033[A", KEY_UP}, {"\033OA", KEY_UP}, {"\033[B", KEY_DOWN},
  {"\033OB", KEY_DOWN}, {"\033[C", KEY_RIGHT}, {"\033OC", KEY_RIGHT}, {"\033[D", KEY_LEFT},
  {"\033OD", KEY_LEFT}, {"\033[H", KEY_HOME}, {"\033OH", KEY_HOME}, {"\033[1~", KEY_HOME},
  {"\033[F", KEY_END}, {"\033OF", KEY_END}, {"\033[4~", KEY_END}, {"\033[3~", KEY_DC},
  {"\033[5~", KEY_PPAGE}, {"\033[6~", KEY_NPAGE}, {"\033[Z", KEY_BTAB}, {"\033OM", KEY_ENTER},
  {"\033[1;2A", KEY_UP}, {"\033[1;2B", KEY_DOWN}, {"\033[1;2C", KEY_RIGHT}, {"\033[1;2D", KEY_LEFT},
  {"\033OP", KEY_F(1)}, {"\033OQ", KEY_F(2)}, {"\033OR", KEY_F(3)}, {"\033OS", KEY_F(4)},
};

// The paste so far; it may arrive in several chunks.
static uint32_t *paste;
static size_t paste_count, paste_capacity;
static bool is_pasting;
// The time of the last chunk: a paste whose end was lost must not block the keyboard for ever.
static int64_t paste_time;
enum { PASTE_PATIENCE_MILLISECONDS = 1000 };

void input_start(void) {
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  for (size_t i = 0; i < sizeof taught / sizeof *taught; i++) define_key(taught[i].sequence, taught[i].code);
  is_pasting = false;
  paste_count = 0;
}

static int64_t milliseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void terminal_wake(void) {
  // A full pipe wakes the reader too.
  const char byte = 1;
  if (terminal_state.wake_writer >= 0 && write(terminal_state.wake_writer, &byte, 1) < 0) return;
}

/// The next character of a sequence that has begun, or -1 when it does not arrive.
static int next_of_sequence(void) {
  for (int attempt = 0; attempt < 2; attempt++) {
    wint_t character;
    const int kind = wget_wch(stdscr, &character);
    if (kind == OK) return (int)character;
    if (kind == KEY_CODE_YES) return -1;
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&waiting, 1, 50) <= 0) return -1;
  }
  return -1;
}

// ---- Mouse ----------------------------------------------------------------------------------------------------

static bool mouse_event(int bits, int column, int row, bool is_release, struct terminal_event *event) {
  event->kind = TERMINAL_EVENT_MOUSE;
  event->row = row - 1;
  event->column = column - 1;
  event->control = (bits & 16) != 0;
  if (bits & 64) {
    if ((bits & 3) > 1) return false;  // sideways
    event->action = (bits & 1) ? TERMINAL_MOUSE_WHEEL_DOWN : TERMINAL_MOUSE_WHEEL_UP;
    event->button = 0;
    return true;
  }
  event->button = (bits & 3) + 1;
  if (event->button == 4 && (bits & 32)) return false;  // motion without a button
  event->action = is_release ? TERMINAL_MOUSE_RELEASE
                  : bits & 32 ? TERMINAL_MOUSE_DRAG
                              : TERMINAL_MOUSE_PRESS;
  return true;
}

static bool read_sgr_mouse(struct terminal_event *event) {
  int values[3] = {0, 0, 0}, index = 0;
  for (int length = 0; length < 24; length++) {
    const int character = next_of_sequence();
    if (character >= '0' && character <= '9') {
      values[index] = values[index] * 10 + (character - '0');
      if (values[index] > 100000) return false;
    } else if (character == ';' && index < 2) {
      index++;
    } else if ((character == 'M' || character == 'm') && index == 2) {
      return mouse_event(values[0], values[1], values[2], character == 'm', event);
    } else {
      return false;
    }
  }
  return false;
}

static bool read_x10_mouse(struct terminal_event *event) {
  static int last_button;
  const int bits = next_of_sequence() - 32, column = next_of_sequence() - 32, row = next_of_sequence() - 32;
  if (bits < 0 || column < 1 || row < 1) return false;
  const bool is_release = !(bits & 64) && (bits & 3) == 3;
  if (!is_release) last_button = bits & 3;
  return mouse_event(is_release ? (bits & ~3) | last_button : bits, column, row, is_release, event);
}

// ---- Keys -----------------------------------------------------------------------------------------------------

/// After Escape: true when it began a sequence that ncurses does not know; the whole sequence is dropped.
static bool drop_unknown_sequence(void) {
  wint_t character;
  if (wget_wch(stdscr, &character) != OK) return false;
  const bool is_control_sequence = character == '[';
  const bool is_late_answer = terminal_state.late_answers && character == 'P';
  if (!is_control_sequence && !is_late_answer) {
    unget_wch((wchar_t)character);
    return false;
  }
  for (int length = 0; length < 256; length++) {
    const int next = next_of_sequence();
    if (next < 0) break;
    if (is_control_sequence && next >= 0x40 && next <= 0x7E) break;
    if (is_late_answer && next == '\\') break;
  }
  return true;
}

static void named(struct terminal_event *event, int key) {
  event->kind = TERMINAL_EVENT_NAMED;
  event->code = key;
}

static bool character_event(wint_t character, struct terminal_event *event) {
  switch (character) {
    case '\r': case '\n': named(event, TERMINAL_KEY_ENTER); return true;
    case '\t': named(event, TERMINAL_KEY_TAB); return true;
    case 8: case 127: named(event, TERMINAL_KEY_BACKSPACE); return true;
    case 27:
      if (drop_unknown_sequence()) return false;
      named(event, TERMINAL_KEY_ESCAPE);
      return true;
    default: break;
  }
  if (!terminal_state.description.shows_unicode && character > 126) return false;
  event->kind = TERMINAL_EVENT_CHARACTER;
  event->code = (int32_t)character;
  return true;
}

static bool code_event(int code, struct terminal_event *event) {
  static const struct { int code, key; } names[] = {
    {KEY_UP, TERMINAL_KEY_UP}, {KEY_SR, TERMINAL_KEY_UP}, {KEY_DOWN, TERMINAL_KEY_DOWN},
    {KEY_SF, TERMINAL_KEY_DOWN}, {KEY_LEFT, TERMINAL_KEY_LEFT}, {KEY_SLEFT, TERMINAL_KEY_LEFT},
    {KEY_RIGHT, TERMINAL_KEY_RIGHT}, {KEY_SRIGHT, TERMINAL_KEY_RIGHT}, {KEY_PPAGE, TERMINAL_KEY_PAGE_UP},
    {KEY_SPREVIOUS, TERMINAL_KEY_PAGE_UP}, {KEY_NPAGE, TERMINAL_KEY_PAGE_DOWN},
    {KEY_SNEXT, TERMINAL_KEY_PAGE_DOWN}, {KEY_HOME, TERMINAL_KEY_HOME}, {KEY_FIND, TERMINAL_KEY_HOME},
    {KEY_END, TERMINAL_KEY_END}, {KEY_SELECT, TERMINAL_KEY_END}, {KEY_ENTER, TERMINAL_KEY_ENTER},
    {KEY_BTAB, TERMINAL_KEY_BACK_TAB}, {KEY_BACKSPACE, TERMINAL_KEY_BACKSPACE}, {KEY_DC, TERMINAL_KEY_DELETE},
  };
  if (code == CODE_SGR_MOUSE) return read_sgr_mouse(event);
  if (code == CODE_X10_MOUSE) return read_x10_mouse(event);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].code == code) {
      named(event, names[i].key);
      return true;
    }
  if (code > KEY_F0 && code <= KEY_F(12)) {
    event->kind = TERMINAL_EVENT_FUNCTION;
    event->code = code - KEY_F0;
    return true;
  }
  return false;
}

static void paste_character(wint_t character) {
  if (paste_count == paste_capacity) {
    const size_t capacity = paste_capacity == 0 ? 256 : paste_capacity * 2;
    uint32_t *larger = realloc(paste, capacity * sizeof *paste);
    if (larger == NULL) return;
    paste = larger;
    paste_capacity = capacity;
  }
  paste[paste_count++] = character == '\r' ? '\n' : (uint32_t)character;
}

static int end_paste(struct terminal_event *event) {
  is_pasting = false;
  event->kind = TERMINAL_EVENT_PASTE;
  event->text = paste;
  event->code = (int32_t)paste_count;
  return 1;
}

/// Whether a character inside a paste is a key: Ctrl-C, or Escape without a following character.
static bool ends_paste(wint_t character) {
  if (character != 3 && character != 27) return false;
  struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
  if (poll(&waiting, 1, 50) > 0) return false;
  wint_t next;
  const int kind = wget_wch(stdscr, &next);
  if (kind == OK) unget_wch((wchar_t)next);
  if (kind == KEY_CODE_YES) ungetch((int)next);
  return kind == ERR;
}

/// Reads from ncurses: 1 for an event, 0 for an unknown key, -1 for no more input.
static int read_one(struct terminal_event *event) {
  wint_t character;
  const int kind = wget_wch(stdscr, &character);
  if (kind == ERR) return -1;
  if (kind == KEY_CODE_YES && character == CODE_PASTE_START) {
    is_pasting = true;
    paste_count = 0;
    paste_time = milliseconds_now();
    return 0;
  }
  if (kind == KEY_CODE_YES && character == CODE_PASTE_END) {
    if (!is_pasting) return 0;
    return end_paste(event);
  }
  if (is_pasting) {
    paste_time = milliseconds_now();
    if (kind == OK && ends_paste(character)) {
      is_pasting = false;
      return character_event(character, event) ? 1 : 0;
    }
    if (kind == OK) paste_character(character);
    return 0;
  }
  return (kind == OK ? character_event(character, event) : code_event((int)character, event)) ? 1 : 0;
}

// ---- Waiting --------------------------------------------------------------------------------------------------

/// Fills `event` from the flags of the signal handlers; true when there was one.
static bool handle_notes(struct terminal_event *event) {
  if (terminal_end_signal) {
    event->kind = TERMINAL_EVENT_END;
    return true;
  }
  if (terminal_stop_requested) {
    terminal_stop_requested = 0;
    terminal_suspend();
    terminal_was_resized = 1;
  } else if (terminal_was_continued) {
    terminal_was_continued = 0;
    session_continued();
    terminal_was_resized = 1;
  }
  if (!terminal_was_resized) return false;
  terminal_was_resized = 0;
  session_resize();
  event->kind = TERMINAL_EVENT_RESIZE;
  event->row = terminal_state.rows;
  event->column = terminal_state.columns;
  return true;
}

void terminal_next_event(int32_t timeout_milliseconds, struct terminal_event *event) {
  const int64_t deadline = milliseconds_now() + timeout_milliseconds;
  for (;;) {
    memset(event, 0, sizeof *event);
    if (handle_notes(event)) return;
    int outcome;
    while ((outcome = read_one(event)) == 0) memset(event, 0, sizeof *event);
    if (outcome > 0) {
      if (event->kind == TERMINAL_EVENT_CHARACTER && event->code == 26) {
        terminal_stop_requested = 1;  // Ctrl-Z
        continue;
      }
      return;
    }
    int64_t left = deadline - milliseconds_now();
    if (is_pasting) {
      const int64_t patience = paste_time + PASTE_PATIENCE_MILLISECONDS - milliseconds_now();
      if (patience <= 0) {
        end_paste(event);
        return;
      }
      if (patience < left) left = patience;
    }
    struct pollfd waiting[2] = {
      {.fd = STDIN_FILENO, .events = POLLIN}, {.fd = terminal_state.wake_reader, .events = POLLIN}};
    const int ready = poll(waiting, 2, left > 0 ? (int)left : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 && milliseconds_now() < deadline) continue;
    if (ready <= 0) return;
    if (waiting[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
      signals_terminal_gone();
      continue;
    }
    if (waiting[1].revents & POLLIN) {
      char bytes[64];
      while (read(terminal_state.wake_reader, bytes, sizeof bytes) > 0) {}
      if (terminal_was_resized || terminal_was_continued || terminal_stop_requested) continue;
      event->kind = TERMINAL_EVENT_WOKEN;
      return;
    }
    if (left <= 0) return;
  }
}
