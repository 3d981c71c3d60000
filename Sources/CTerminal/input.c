// Keys, mouse, paste and resizing. ncurses reads and decodes; sequences that terminfo entries leave out or get wrong
// (mouse reports under tmux, paste marks, keys of an entry too plain) are taught to it with define_key.
#define _GNU_SOURCE
#include "sequence.h"
#include "state.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

void session_resize(void);
void session_continued(void);

/// The program's key codes, above those of ncurses and of its extended entries.
enum { CODE_SGR_MOUSE = 5000, CODE_X10_MOUSE, CODE_PASTE_START, CODE_PASTE_END, CODE_FOCUS_IN, CODE_FOCUS_OUT };

static const struct { const char *sequence; int code; } taught[] = {
  {"\033[<", CODE_SGR_MOUSE}, {"\033[M", CODE_X10_MOUSE}, {"\033[200~", CODE_PASTE_START},
  {"\033[201~", CODE_PASTE_END}, {"\033[I", CODE_FOCUS_IN}, {"\033[O", CODE_FOCUS_OUT}, {"\033[A", KEY_UP},
  {"\033OA", KEY_UP}, {"\033[B", KEY_DOWN},
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

void terminal_wake(void) {
  // A full pipe wakes the reader too.
  const char byte = 1;
  if (terminal_state.wake_writer >= 0 && write(terminal_state.wake_writer, &byte, 1) < 0) return;
}

// ---- Questions ------------------------------------------------------------------------------------------------

// Questions whose last answer is missing, and when the last one was sent: some terminals never answer.
static int open_questions;
static int64_t question_time;
enum { ANSWER_PATIENCE_MILLISECONDS = 3000, FINISH_MILLISECONDS = 300, REMOTE_FINISH_MILLISECONDS = 1000 };

static void begin_sequence(const char *start);

void input_start(void) {
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  for (size_t i = 0; i < sizeof taught / sizeof *taught; i++) define_key(taught[i].sequence, taught[i].code);
  is_pasting = false;
  paste_count = 0;
  // The first question, which was asked before ncurses started, may be answered later.
  open_questions = terminal_state.description.probe_is_late ? 1 : 0;
  question_time = milliseconds_now();
  if (terminal_state.unfinished_answer[0] != 0) begin_sequence(terminal_state.unfinished_answer + 1);
}

static bool awaits_answer(void) {
  return open_questions > 0 && milliseconds_now() - question_time < ANSWER_PATIENCE_MILLISECONDS;
}

void terminal_send(const char *text, size_t count) {
  if (terminal_state.is_started) write_all(STDOUT_FILENO, text, count);
}

void terminal_ask(const char *questions, size_t count) {
  if (!terminal_state.is_started) return;
  if (!awaits_answer()) open_questions = 0;
  open_questions++;
  question_time = milliseconds_now();
  write_all(STDOUT_FILENO, questions, count);
}

// ---- Mouse ----------------------------------------------------------------------------------------------------

// The size of a cell where reports count pixels, else 0.
static int cell_width, cell_height;
// The number of the first pixel or cell.
static int first_position = 1;

void terminal_set_mouse_cell(int32_t width, int32_t height, int32_t first) {
  first_position = width > 0 && height > 0 ? first : 1;
  cell_width = width > 0 && height > 0 ? width : 0;
  cell_height = cell_width > 0 ? height : 0;
}

/// The cell of a position and the point in it.
static void place(int position, int cell_size, int cells, int32_t *cell, double *point) {
  const double middle = position - first_position + 0.5;
  *point = cell_size > 0 ? middle / cell_size : middle;
  // A report from the margin of a window belongs to the cell at the edge.
  if (cell_size > 0 && *point > cells) *point = cells - 0.5 / cell_size;
  if (*point < 0) *point = 0;
  *cell = (int32_t)*point;
}

static bool mouse_event(int bits, int column, int row, bool is_release, struct terminal_event *event) {
  // kitty reports 0, 0 where it does not know the place: the first cell is at 1, 1, and the first pixel nobody means.
  if (column == 0 && row == 0 && !is_release) return false;
  if (bits & 128) return false;  // buttons of the thumb
  event->kind = TERMINAL_EVENT_MOUSE;
  place(row, cell_height, terminal_state.rows, &event->row, &event->point_row);
  place(column, cell_width, terminal_state.columns, &event->column, &event->point_column);
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

static bool sgr_mouse(const struct terminal_sequence *sequence, struct terminal_event *event) {
  int values[3] = {0, 0, 0}, index = 0;
  for (size_t i = 2; i + 1 < sequence->count; i++) {
    const uint32_t character = sequence->characters[i];
    if (character >= '0' && character <= '9') {
      values[index] = values[index] * 10 + (int)(character - '0');
      if (values[index] > 100000) return false;
    } else if (character == ';' && index < 2) {
      index++;
    } else {
      return false;
    }
  }
  if ((sequence->last != 'M' && sequence->last != 'm') || index != 2) return false;
  return mouse_event(values[0], values[1], values[2], sequence->last == 'm', event);
}

static bool x10_mouse(const struct terminal_sequence *sequence, struct terminal_event *event) {
  static int last_button;
  const int bits = (int)sequence->characters[2] - 32, column = (int)sequence->characters[3] - 32,
            row = (int)sequence->characters[4] - 32;
  if (bits < 0 || column < 1 || row < 1) return false;
  const bool is_release = !(bits & 64) && (bits & 3) == 3;
  if (!is_release) last_button = bits & 3;
  return mouse_event(is_release ? (bits & ~3) | last_button : bits, column, row, is_release, event);
}

// ---- Keys -----------------------------------------------------------------------------------------------------

// A sequence that ncurses does not know, or that arrives in pieces, so far.
static struct terminal_sequence sequence;
static bool is_in_sequence;
static int64_t sequence_time;

static void begin_sequence(const char *start) {
  is_in_sequence = true;
  sequence_time = milliseconds_now();
  terminal_sequence_begin(&sequence);
  for (; *start != 0; start++) terminal_sequence_add(&sequence, (uint32_t)*start);
}

/// How long the next character of the sequence may take. ncurses has waited for the one after Escape.
static int64_t sequence_patience(void) {
  if (sequence.count >= 2) return 10000;
  if (awaits_answer()) return 500;
  return sequence.count == 0 ? 0 : 100;
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
    case 27: begin_sequence(""); return false;
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

static void begin_paste(void) {
  is_pasting = true;
  paste_count = 0;
  paste_time = milliseconds_now();
}

static int answer(const uint32_t *text, size_t count, struct terminal_event *event) {
  event->kind = TERMINAL_EVENT_ANSWER;
  event->text = text;
  event->code = (int32_t)count;
  return 1;
}

/// What a code of ncurses or of the program means: 1 for an event, 0 for none.
static int act_on_code(int code, struct terminal_event *event) {
  static const uint32_t focus_in[] = {'[', 'I'};
  switch (code) {
    case CODE_PASTE_START: begin_paste(); return 0;
    case CODE_PASTE_END: return is_pasting ? end_paste(event) : 0;
    case CODE_SGR_MOUSE: begin_sequence("[<"); return 0;
    case CODE_FOCUS_IN: return answer(focus_in, 2, event);
    case CODE_FOCUS_OUT: return 0;
    case CODE_X10_MOUSE: begin_sequence("[M"); return 0;
    default: return code_event(code, event) ? 1 : 0;
  }
}

/// The code of a sequence that ncurses was taught, but which it saw in pieces; 0 for none.
static int taught_code(void) {
  for (size_t i = 0; i < sizeof taught / sizeof *taught; i++) {
    const char *text = taught[i].sequence + 1;
    size_t same = 0;
    while (same < sequence.count && (uint32_t)text[same] == sequence.characters[same]) same++;
    if (same == sequence.count && text[same] == 0) return taught[i].code;
  }
  return 0;
}

/// What a whole sequence means: 1 for an event, 0 for none.
static int sequence_event(struct terminal_event *event) {
  const uint32_t *text = sequence.characters;
  if (text[0] == '[') {
    if (text[1] == '<') return sgr_mouse(&sequence, event) ? 1 : 0;
    if (text[1] == 'M') return x10_mouse(&sequence, event) ? 1 : 0;
    const int code = taught_code();
    if (code != 0) return act_on_code(code, event);
    const bool is_last_answer = (text[1] == '?' && sequence.last == 'c') ||
                                (sequence.count == 3 && text[1] == '0' && text[2] == 'n');
    if (is_last_answer && open_questions > 0) open_questions--;
  }
  return answer(text, sequence.count, event);
}

/// Gives up a sequence whose rest does not come: Escape and a letter are keys, anything longer is dropped.
static int end_sequence(struct terminal_event *event) {
  is_in_sequence = false;
  if (sequence.count > 1 || (sequence.count == 1 && sequence.characters[0] == '[')) return 0;
  if (sequence.count == 1) unget_wch((wchar_t)sequence.characters[0]);
  named(event, TERMINAL_KEY_ESCAPE);
  return 1;
}

/// Adds what was read to the sequence that has begun: 1 for an event, 0 for none.
static int continue_sequence(int kind, wint_t character, struct terminal_event *event) {
  if (kind == KEY_CODE_YES) {
    ungetch((int)character);
    return end_sequence(event);
  }
  switch (terminal_sequence_add(&sequence, (uint32_t)character)) {
    case TERMINAL_SEQUENCE_PART: sequence_time = milliseconds_now(); return 0;
    case TERMINAL_SEQUENCE_WHOLE: is_in_sequence = false; return sequence_event(event);
    default: break;
  }
  unget_wch((wchar_t)character);
  return end_sequence(event);
}

/// Reads from ncurses: 1 for an event, 0 for an unknown key or a part of something, -1 for no more input.
static int read_one(struct terminal_event *event) {
  wint_t character;
  const int kind = wget_wch(stdscr, &character);
  if (kind == ERR) return -1;
  if (is_in_sequence) return continue_sequence(kind, character, event);
  if (is_pasting && !(kind == KEY_CODE_YES && (character == CODE_PASTE_START || character == CODE_PASTE_END))) {
    paste_time = milliseconds_now();
    if (kind == OK && ends_paste(character)) {
      is_pasting = false;
      return character_event(character, event) ? 1 : 0;
    }
    if (kind == OK) paste_character(character);
    return 0;
  }
  if (kind == KEY_CODE_YES) return act_on_code((int)character, event);
  return character_event(character, event) ? 1 : 0;
}

void input_finish(void) {
  const int64_t deadline =
      milliseconds_now() + (getenv("SSH_CONNECTION") != NULL ? REMOTE_FINISH_MILLISECONDS : FINISH_MILLISECONDS);
  while (awaits_answer()) {
    struct terminal_event event;
    memset(&event, 0, sizeof event);
    if (read_one(&event) >= 0) continue;
    const int64_t left = deadline - milliseconds_now();
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
    if (left <= 0 || poll(&waiting, 1, (int)left) <= 0 || !(waiting.revents & POLLIN)) break;
  }
  open_questions = 0;
  is_in_sequence = false;
  is_pasting = false;
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
    if (is_in_sequence) {
      const int64_t patience = sequence_time + sequence_patience() - milliseconds_now();
      if (patience <= 0) {
        if (end_sequence(event)) return;
        continue;
      }
      if (patience < left) left = patience;
    }
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
