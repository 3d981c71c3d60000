// Cells to the screen. On a terminal with a palette ncurses draws them. On a terminal with 24-bit colours, and wherever
// pictures are pixels, the direct writer writes every cell, and ncurses holds an empty screen: it has at most 65 536
// colour pairs, sends both colours at every change, and moves lines that it finds again elsewhere by scrolling, which
// would move cells and pictures that it does not know.
#define _GNU_SOURCE
#include "state.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { UPPER_HALF = 0x2580, LOWER_HALF = 0x2584, MAXIMUM_COLOURS = 256 };

static struct terminal_cell *shown;
static int shown_rows, shown_columns;
static bool shows_nothing = true;
static int cursor_visibility = -1;
// Where the cursor was placed last.
static int placed_row, placed_column;
static bool has_graphics;
// Bytes of a changed cell that ncurses draws, as measured on slices in 256 colours.
enum { BYTES_OF_CURSES_CELL = 20 };

// ---- Colour pairs ---------------------------------------------------------------------------------------------

// Pairs are numbered as they are first needed and never redefined: redefining one makes ncurses touch the screen.
// Half blocks always ask for the lower colour as foreground, so that pictures need 256 * 255 / 2 pairs at most.
static int palette_size;
static int pair_limit, next_pair;
static uint16_t pair_of[MAXIMUM_COLOURS + 1][MAXIMUM_COLOURS + 1];

static int pair_for(int foreground, int background) {
  if (palette_size == 0 || (foreground < 0 && background < 0)) return 0;
  uint16_t *known = &pair_of[foreground + 1][background + 1];
  if (*known == 0) {
    if (next_pair >= pair_limit || init_extended_pair(next_pair, foreground, background) == ERR) return 0;
    *known = (uint16_t)next_pair++;
  }
  return *known;
}

static void set_cell(cchar_t *cell, uint32_t character, attr_t attributes, int foreground, int background) {
  const wchar_t text[2] = {(wchar_t)character, 0};
  int pair = pair_for(foreground, background);
  setcchar(cell, text, attributes, 0, &pair);
}

static void swap(int *one, int *other) {
  const int saved = *one;
  *one = *other;
  *other = saved;
}

/// One cell of a row in ncurses' own terms.
static void to_curses(const struct terminal_cell *cell, cchar_t *out) {
  uint32_t character = cell->character;
  int foreground = cell->foreground, background = cell->background;
  attr_t attributes = A_NORMAL;
  if (cell->attributes & TERMINAL_BOLD) attributes |= A_BOLD;
  if (cell->attributes & TERMINAL_DIM) attributes |= A_DIM;
  if (cell->attributes & TERMINAL_REVERSE) attributes |= A_REVERSE;
  if (cell->attributes & TERMINAL_UNDERLINE) attributes |= A_UNDERLINE;
  const bool is_half = character == UPPER_HALF || character == LOWER_HALF;
  // With 8 colours only a foreground can be bright, by being bold.
  const bool must_swap = palette_size == 8 ? background >= 8 && foreground < 8 : foreground > background;
  if (is_half && foreground >= 0 && background >= 0) {
    if (foreground == background) character = ' ';
    else if (must_swap) {
      swap(&foreground, &background);
      character = character == UPPER_HALF ? LOWER_HALF : UPPER_HALF;
    }
  }
  // An empty cell shows its background alone: one pair for each colour.
  if (character == ' ' && !(cell->attributes & (TERMINAL_REVERSE | TERMINAL_UNDERLINE))) foreground = TERMINAL_DEFAULT;
  if (palette_size == 8) {
    if (foreground >= 8) {
      foreground -= 8;
      attributes |= A_BOLD;
    }
    if (background >= 8) background = background == 8 ? 0 : background - 8;
  }
  set_cell(out, character, attributes, foreground, background);
}

// ---- Characters -----------------------------------------------------------------------------------------------

/// Whether a cell is covered by the wide character before it.
static bool is_second_half(const struct terminal_cell *cells, int column) {
  return cells[column].character == 0 && column > 0 && cells[column - 1].character != 0 &&
         wcwidth((wchar_t)cells[column - 1].character) == 2;
}

/// The character that a cell shows: a blank in place of none, and `?` for one that would not fill exactly its cells.
static uint32_t drawable(const struct terminal_cell *cells, int column, int columns) {
  const uint32_t character = cells[column].character;
  if (character == 0 || character == TERMINAL_PICTURE) return ' ';
  if (character >= 0x80 && !terminal_state.description.shows_unicode) return '?';
  const int width = wcwidth((wchar_t)character);
  const bool has_room = column + 1 < columns && cells[column + 1].character == 0;
  return width == 1 || (width == 2 && has_room) ? character : '?';
}

// ---- Direct writer --------------------------------------------------------------------------------------------

static char *bytes;
static size_t byte_count, byte_capacity;

static char *reserve(size_t count) {
  if (byte_count + count > byte_capacity) {
    const size_t capacity = (byte_count + count) * 2;
    char *larger = realloc(bytes, capacity);
    if (larger == NULL) abort();
    bytes = larger;
    byte_capacity = capacity;
  }
  return bytes + byte_count;
}

static void put(const char *text, size_t count) {
  memcpy(reserve(count), text, count);
  byte_count += count;
}

static void put_number(unsigned number) {
  char digits[12];
  char *at = digits + sizeof digits;
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  put(at, (size_t)(digits + sizeof digits - at));
}

static void put_character(uint32_t character) {
  char *at = reserve(4);
  if (character < 0x80) {
    at[0] = (char)character;
    byte_count += 1;
  } else if (character < 0x800) {
    at[0] = (char)(0xC0 | character >> 6);
    at[1] = (char)(0x80 | (character & 0x3F));
    byte_count += 2;
  } else if (character < 0x10000) {
    at[0] = (char)(0xE0 | character >> 12);
    at[1] = (char)(0x80 | (character >> 6 & 0x3F));
    at[2] = (char)(0x80 | (character & 0x3F));
    byte_count += 3;
  } else {
    at[0] = (char)(0xF0 | character >> 18);
    at[1] = (char)(0x80 | (character >> 12 & 0x3F));
    at[2] = (char)(0x80 | (character >> 6 & 0x3F));
    at[3] = (char)(0x80 | (character & 0x3F));
    byte_count += 4;
  }
}

static void put_colour(int base, int colour) {
  put("\033[", 2);
  if (colour < 0) {
    put_number((unsigned)base + 1);
  } else if (colour < 16) {
    // Every terminal with colours knows these; 38;5 not every one.
    put_number((unsigned)(base - 8 + (colour < 8 ? colour : colour - 8 + 60)));
  } else {
    put_number((unsigned)base);
    if (colour >= TERMINAL_DIRECT) {
      put(";2;", 3);
      put_number((unsigned)colour >> 16 & 0xFF);
      put(";", 1);
      put_number((unsigned)colour >> 8 & 0xFF);
      put(";", 1);
      put_number((unsigned)colour & 0xFF);
    } else {
      put(";5;", 3);
      put_number((unsigned)colour);
    }
  }
  put("m", 1);
}

static void put_attributes(uint32_t attributes) {
  put("\033[0", 3);
  if (attributes & TERMINAL_BOLD) put(";1", 2);
  if (attributes & TERMINAL_DIM) put(";2", 2);
  if (attributes & TERMINAL_UNDERLINE) put(";4", 2);
  if (attributes & TERMINAL_REVERSE) put(";7", 2);
  put("m", 1);
}

static bool is_same(const struct terminal_cell *one, const struct terminal_cell *other) {
  return memcmp(one, other, sizeof *one) == 0;
}

/// Whether a cell shows what it showed before; a wide character is another one where it now has the room it lacked.
static bool is_unchanged(const struct terminal_cell *cells, const struct terminal_cell *before, int column,
                         int columns) {
  if (!is_same(&cells[column], &before[column])) return false;
  return column + 1 == columns || (cells[column + 1].character == 0) == (before[column + 1].character == 0);
}

/// Writes the cells of a row that changed, or all of them.
static void put_row(int row, const struct terminal_cell *cells, const struct terminal_cell *before, int columns,
                    bool all) {
  int at = -1, foreground = TERMINAL_DEFAULT, background = TERMINAL_DEFAULT;
  uint32_t attributes = 0;
  bool has_style = false;
  for (int column = 0; column < columns; column++) {
    const struct terminal_cell *cell = &cells[column];
    if (is_second_half(cells, column) || cell->character == TERMINAL_PICTURE ||
        (!all && is_unchanged(cells, before, column, columns)))
      continue;
    if (at != column) {
      put("\033[", 2);
      put_number((unsigned)row + 1);
      put(";", 1);
      put_number((unsigned)column + 1);
      put("H", 1);
    }
    if (!has_style || attributes != cell->attributes) {
      attributes = cell->attributes;
      foreground = background = TERMINAL_DEFAULT;
      has_style = true;
      put_attributes(attributes);
    }
    if (foreground != cell->foreground) put_colour(38, foreground = cell->foreground);
    if (background != cell->background) put_colour(48, background = cell->background);
    put_character(drawable(cells, column, columns));
    at = column + (column + 1 < columns && is_second_half(cells, column + 1) ? 2 : 1);
  }
}

// ---- Frames ---------------------------------------------------------------------------------------------------

void draw_start(void) {
  const int depth = terminal_state.description.depth;
  memset(pair_of, 0, sizeof pair_of);
  palette_size = 0;
  next_pair = 1;
  if (depth > TERMINAL_DEPTH_MONO && start_color() == OK && use_default_colors() == OK) {
    palette_size = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
    if (depth == TERMINAL_DEPTH_SIXTEEN && palette_size > 16) palette_size = 16;
    // Numbers are stored in 16 bits, which is also all that ncurses 6.4 accepts.
    pair_limit = COLOR_PAIRS < 65536 ? COLOR_PAIRS : 65536;
  }
  if (palette_size == 0) terminal_state.description.depth = TERMINAL_DEPTH_MONO;
  terminal_state.description.colours = palette_size;
  idcok(stdscr, FALSE);
  idlok(stdscr, FALSE);
  scrollok(stdscr, FALSE);
  cursor_visibility = -1;
  has_graphics = false;
  shows_nothing = true;
}

void draw_stop(void) {
  free(shown);
  free(bytes);
  shown = NULL;
  bytes = NULL;
  shown_rows = shown_columns = 0;
  byte_count = byte_capacity = 0;
}

void terminal_redraw(void) { shows_nothing = true; }

void terminal_use_graphics(int32_t is_used) {
  if (has_graphics == (is_used != 0)) return;
  has_graphics = is_used != 0;
  // The cells of one writer are foreign to the other.
  if (terminal_state.is_started) werase(stdscr);
  shows_nothing = true;
}

/// Hands a row to ncurses, which finds out what changed.
static void curses_row(int row, const struct terminal_cell *cells, int columns, cchar_t *line) {
  int count = 0;
  for (int column = 0; column < columns; column++) {
    if (is_second_half(cells, column)) continue;
    struct terminal_cell cell = cells[column];
    cell.character = drawable(cells, column, columns);
    to_curses(&cell, &line[count++]);
  }
  mvwadd_wchnstr(stdscr, row, 0, line, count);
}

static size_t changed_cells(const struct terminal_cell *now, const struct terminal_cell *before, int columns) {
  size_t count = 0;
  for (int column = 0; column < columns; column++) count += !is_same(&now[column], &before[column]);
  return count;
}

size_t terminal_draw(const struct terminal_cell *cells, int32_t rows, int32_t columns, int32_t cursor_row,
                     int32_t cursor_column, const uint8_t *graphics, size_t graphics_count) {
  if (!terminal_state.is_started || rows <= 0 || columns <= 0) return 0;
  if (shown_rows != rows || shown_columns != columns) {
    free(shown);
    shown = calloc((size_t)rows * (size_t)columns, sizeof *shown);
    if (shown == NULL) abort();
    shown_rows = rows;
    shown_columns = columns;
    shows_nothing = true;
    werase(stdscr);
  }
  const bool all = shows_nothing;
  if (all) clearok(curscr, TRUE);
  shows_nothing = false;
  const bool is_direct_used = has_graphics || terminal_state.description.depth == TERMINAL_DEPTH_TRUE_COLOUR;
  size_t curses_bytes = 0;
  cchar_t line[columns];
  memset(line, 0, sizeof line);
  byte_count = 0;
  const int visible_rows = rows < LINES ? rows : LINES;
  const int visible_columns = columns < COLS ? columns : COLS;
  const size_t row_size = (size_t)columns * sizeof *cells;
  for (int row = 0; row < visible_rows; row++) {
    const struct terminal_cell *now = cells + (size_t)row * (size_t)columns;
    struct terminal_cell *before = shown + (size_t)row * (size_t)columns;
    if (!all && memcmp(now, before, row_size) == 0) continue;
    if (is_direct_used) put_row(row, now, before, visible_columns, all);
    else {
      curses_row(row, now, visible_columns, line);
      curses_bytes += BYTES_OF_CURSES_CELL * (all ? (size_t)columns : changed_cells(now, before, columns));
    }
    memcpy(before, now, row_size);
  }
  const bool has_cursor = cursor_row >= 0, hides_cursor = has_cursor && graphics_count > 0;
  if (has_cursor != cursor_visibility) curs_set(has_cursor);
  const bool moves_cursor = is_direct_used && has_cursor &&
                            (cursor_visibility != 1 || cursor_row != placed_row || cursor_column != placed_column);
  cursor_visibility = has_cursor;
  placed_row = cursor_row;
  placed_column = cursor_column;
  // ncurses moves a cursor to the right by writing what it believes to be there: in its empty screen, blanks.
  leaveok(stdscr, is_direct_used || !has_cursor);
  if (has_cursor && !is_direct_used) wmove(stdscr, cursor_row, cursor_column);
  const bool is_written = byte_count + graphics_count > 0;
  // Terminals that know synchronised output show the two writers' work at once.
  if (is_written) write_all(STDOUT_FILENO, "\033[?2026h", 8);
  wnoutrefresh(stdscr);
  doupdate();
  if (!is_written && !moves_cursor) return curses_bytes;
  // The cursor and style that ncurses believes in are put back. xterm leaves a mark where its cursor was above graphics.
  if (is_written) write_all(STDOUT_FILENO, hides_cursor ? "\033[?25l\0337" : "\0337", hides_cursor ? 8 : 2);
  if (graphics_count > 0) put("\033[0m", 4);
  write_all(STDOUT_FILENO, bytes, byte_count);
  if (graphics_count > 0) write_all(STDOUT_FILENO, graphics, graphics_count);
  char end[64];
  int end_count = is_written ? snprintf(end, sizeof end, "\033[0m\0338") : 0;
  if (is_direct_used && has_cursor)
    end_count += snprintf(end + end_count, sizeof end - (size_t)end_count, "\033[%d;%dH%s", cursor_row + 1,
                          cursor_column + 1, hides_cursor ? "\033[?25h" : "");
  if (is_written) end_count += snprintf(end + end_count, sizeof end - (size_t)end_count, "\033[?2026l");
  write_all(STDOUT_FILENO, end, (size_t)end_count);
  return byte_count + graphics_count + curses_bytes;
}
