// A plain C interface to the terminal: ncursesw starts it, decodes its keys, draws its cells and restores it. No curses
// type is in this header. There is one terminal per process. All functions except terminal_wake and terminal_restore
// must be called by the thread that called terminal_start.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The number of colours in use.
enum terminal_depth {
  TERMINAL_DEPTH_AUTOMATIC = -1,
  TERMINAL_DEPTH_MONO = 0,
  TERMINAL_DEPTH_SIXTEEN = 1,
  TERMINAL_DEPTH_256 = 2,
  TERMINAL_DEPTH_TRUE_COLOUR = 3,
};

/// Options of the caller; everything else is detected.
struct terminal_options {
  int32_t depth;       // an enum terminal_depth
  int32_t ascii_only;  // never anything outside ASCII
};

/// The capabilities of the terminal, known after terminal_start.
struct terminal_description {
  int32_t depth;              // an enum terminal_depth, never automatic
  int32_t colours;            // palette entries that ncurses can use: 0, 8, 16, 256
  int32_t shows_unicode;
  double cell_aspect;         // height of a cell over its width
  int32_t cell_width, cell_height;  // pixels by the size of the window; 0 where it is not known
  int32_t probe_is_late;      // the answer to the first question (CSI ? ... c) has not arrived yet
  char terminal_name[64];     // the terminfo entry in use
  char depth_reason[64];      // what decided the depth
  char unicode_reason[64];    // what decided shows_unicode
};

/// Colours: TERMINAL_DEFAULT, a palette index, or TERMINAL_DIRECT | 0xRRGGBB.
enum { TERMINAL_DEFAULT = -1, TERMINAL_DIRECT = 0x1000000 };

/// The character of a cell that graphics fill: it is not written. No Unicode scalar.
enum { TERMINAL_PICTURE = 0x110000 };

/// Attributes, added up.
enum { TERMINAL_BOLD = 1, TERMINAL_DIM = 2, TERMINAL_REVERSE = 4, TERMINAL_UNDERLINE = 8 };

/// One cell; character 0 is the right half of a double-width one.
struct terminal_cell {
  uint32_t character;
  int32_t foreground, background;
  uint32_t attributes;
};

enum terminal_event_kind {
  TERMINAL_EVENT_NONE,
  TERMINAL_EVENT_CHARACTER,  // code: a Unicode scalar, control characters among them
  TERMINAL_EVENT_NAMED,      // code: an enum terminal_key
  TERMINAL_EVENT_FUNCTION,   // code: 1 is F1
  TERMINAL_EVENT_MOUSE,
  TERMINAL_EVENT_PASTE,      // text, code: its length in scalars
  TERMINAL_EVENT_RESIZE,     // row, column: the new rows and columns
  TERMINAL_EVENT_WOKEN,
  TERMINAL_EVENT_END,        // see terminal_report_end
  TERMINAL_EVENT_ANSWER,     // text, code: a sequence that is no key, without its Escape, and its length
};

enum terminal_key {
  TERMINAL_KEY_UP, TERMINAL_KEY_DOWN, TERMINAL_KEY_LEFT, TERMINAL_KEY_RIGHT, TERMINAL_KEY_PAGE_UP,
  TERMINAL_KEY_PAGE_DOWN, TERMINAL_KEY_HOME, TERMINAL_KEY_END, TERMINAL_KEY_ENTER, TERMINAL_KEY_ESCAPE,
  TERMINAL_KEY_TAB, TERMINAL_KEY_BACK_TAB, TERMINAL_KEY_BACKSPACE, TERMINAL_KEY_DELETE,
};

enum terminal_mouse_action {
  TERMINAL_MOUSE_PRESS, TERMINAL_MOUSE_DRAG, TERMINAL_MOUSE_RELEASE, TERMINAL_MOUSE_WHEEL_UP,
  TERMINAL_MOUSE_WHEEL_DOWN,
};

/// An event of the terminal.
struct terminal_event {
  int32_t kind, code;
  int32_t action, button, row, column, control;
  double point_row, point_column;  // of the mouse, in cells: the middle of the first one is 0.5, 0.5
  const uint32_t *text;  // valid until the next call
};

/// Starts the terminal: 0, or -1 with one line in `message`.
int terminal_start(const struct terminal_options *options, char *message, size_t message_size);

/// Sets the function that a signal which ends the process calls before the terminal is restored; `action` must be
/// async-signal-safe.
void terminal_on_end(void (*action)(void));

/// Restores the terminal, if it is in use, just before the process ends; async-signal-safe, thread-safe.
void terminal_restore(void);

/// From now on a signal that requests the end of the process (HUP, TERM, INT, USR1, USR2, XCPU), and the loss of the
/// terminal, make every following event TERMINAL_EVENT_END. The process should then call terminal_stop, which ends it
/// by that signal; after ten seconds the process ends without it.
void terminal_report_end(void);

/// Restores the terminal and shows the tail of the captured standard error. A second call has no effect.
void terminal_stop(void);

/// The properties that terminal_start detected.
void terminal_describe(struct terminal_description *description);

/// Rows and columns now.
void terminal_size(int32_t *rows, int32_t *columns);

/// Shows rows * columns cells and sends the changed ones only, and then `graphics`, which may move the cursor and change
/// the style; a cursor row below 0 hides the cursor. Returns the number of bytes that were sent; where ncurses draws the
/// cells, an estimate.
size_t terminal_draw(const struct terminal_cell *cells, int32_t rows, int32_t columns, int32_t cursor_row,
                     int32_t cursor_column, const uint8_t *graphics, size_t graphics_count);

/// Says whether frames have graphics. While they have, ncurses draws no cell: it would write over pictures.
void terminal_use_graphics(int32_t is_used);

/// Sets the bytes that remove the pictures whenever the terminal is restored, by signal handlers too; 512 at most.
void terminal_set_picture_removal(const uint8_t *removal, size_t count);

/// Makes the next terminal_draw send all cells.
void terminal_redraw(void);

/// Waits for an event; TERMINAL_EVENT_NONE when none came in time.
void terminal_next_event(int32_t timeout_milliseconds, struct terminal_event *event);

/// Removes the pictures now; async-signal-safe.
void terminal_remove_pictures(void);

/// Sends a sequence that the terminal does not answer.
void terminal_send(const char *text, size_t count);

/// Sends questions, whose last one the terminal answers with CSI ? ... c or CSI 0 n. While an answer is missing, for three
/// seconds at most, Escape becomes a key only after half a second, because it may begin the answer.
void terminal_ask(const char *questions, size_t count);

/// Uses 24-bit colours from now on, where the terminal was asked for them: for an answer that came after terminal_start.
void terminal_take_true_colour(void);

/// Says that mouse reports count pixels (mode 1016 is set) of cells of this size from `first` on, 0 or 1; a size of 0 for
/// reports that count cells from 1 on.
void terminal_set_mouse_cell(int32_t width, int32_t height, int32_t first);

/// What the tmux around this process says of itself and of the terminal outside it, one value a line: allow-passthrough,
/// client_termname, client_termtype, pane_top, pane_left, and status where the status line is at the top, else "off". 0, or
/// -1 where it does not answer within 300 ms.
int32_t terminal_ask_tmux(char *text, size_t size);

/// Ends a running terminal_next_event; thread-safe.
void terminal_wake(void);

/// Stops the process as Ctrl-Z does, and starts the terminal again when the process continues.
void terminal_suspend(void);

/// Columns that the terminal gives a character: 0, 1, 2, or -1 when it is not printable.
int32_t terminal_width(uint32_t character);

// ---- A terminal that is read line by line, in place of the above; of that, terminal_on_end, terminal_report_end,
// terminal_restore and terminal_wake apply to it too. ----

/// Takes keys one by one from now on, without an echo: 0, or -1 with one line in `message`.
int terminal_start_lines(char *message, size_t message_size);

/// Restores the modes, and ends the process by the signal that asked for it, if one did. A second call has no effect.
void terminal_stop_lines(void);

/// Waits for bytes of keys: their number, 0 when none came in time or terminal_wake was called, -1 where the process is
/// asked to end.
int32_t terminal_read_lines(int32_t timeout_milliseconds, uint8_t *bytes, size_t size);

/// Writes text.
void terminal_write_lines(const uint8_t *bytes, size_t count);

/// Whether the character set of the user's locale is UTF-8.
int32_t terminal_locale_is_utf8(void);
