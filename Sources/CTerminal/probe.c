// Queries the terminal before ncurses starts: whether it stores a 24-bit colour, and whether it reads UTF-8.
#define _GNU_SOURCE
#include "sequence.h"
#include "state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Whether the answer to "what are you" (DA1, always asked last) has arrived: ESC [ ? ... c.
static bool has_attributes(const char *text) {
  for (const char *at = text; (at = strstr(at, "\033[?")) != NULL; at += 3) {
    const char *end = at + 3 + strspn(at + 3, "0123456789;");
    if (*end == 'c') return true;
  }
  return false;
}

/// The column of a cursor position report, ESC [ row ; column R, or 0.
static int reported_column(const char *text) {
  for (const char *at = text; (at = strstr(at, "\033[")) != NULL; at += 2) {
    int row, column;
    char last;
    if (sscanf(at + 2, "%d;%d%c", &row, &column, &last) == 3 && last == 'R') return column;
  }
  return 0;
}

/// Whether a DECRQSS answer repeats the colour 1, 2, 3 that was set.
static bool repeats_colour(const char *text) {
  const char *answer = strstr(text, "$r");
  if (answer == NULL || answer == text || answer[-1] != '1') return false;
  return strstr(answer, ":1:2:3") != NULL || strstr(answer, ";1;2;3") != NULL;
}

/// The sequence at the end of a text whose rest is missing, from its Escape on; nil for none.
static const char *unfinished_sequence(const char *text) {
  static struct terminal_sequence sequence;
  const char *start = NULL;
  for (const char *at = text; *at != 0; at++) {
    if (start != NULL) {
      switch (terminal_sequence_add(&sequence, (unsigned char)*at)) {
        case TERMINAL_SEQUENCE_PART: continue;
        case TERMINAL_SEQUENCE_WHOLE: start = NULL; continue;
        default: start = NULL; break;
      }
    }
    if (*at == 27) {
      start = at;
      terminal_sequence_begin(&sequence);
    }
  }
  return start;
}

struct probe_answer terminal_probe(bool ask_colour, bool ask_utf8) {
  struct probe_answer answer = {0};
  struct termios modes;
  if (tcgetattr(STDIN_FILENO, &modes) != 0) return answer;
  struct termios quiet = modes;
  quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  quiet.c_cc[VMIN] = 0;
  quiet.c_cc[VTIME] = 0;
  if (tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) != 0) return answer;

  char question[128] = "";
  // Two bytes that are one column in UTF-8 alone: in other character sets neither is a control character.
  if (ask_utf8) strcat(question, "\r\xC3\xA9\033[6n\r\033[K");
  if (ask_colour) strcat(question, "\033[48:2:1:2:3m\033P$qm\033\\\033[m");
  strcat(question, "\033[c");
  write_all(STDOUT_FILENO, question, strlen(question));

  // A remote terminal answers later. The wait ends with the answer; only a terminal without an answer takes all of it.
  const int64_t deadline = milliseconds_now() + (getenv("SSH_CONNECTION") != NULL ? 600 : 300);
  char text[PROBE_CAPACITY];
  size_t count = 0;
  while (count < sizeof text - 1) {
    const int64_t left = deadline - milliseconds_now();
    if (left <= 0) break;
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
    const int ready = poll(&waiting, 1, (int)left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t arrived = read(STDIN_FILENO, text + count, sizeof text - 1 - count);
    if (arrived <= 0) break;
    for (ssize_t i = 0; i < arrived; i++)
      if (text[count + (size_t)i] == 0) text[count + (size_t)i] = ' ';
    count += (size_t)arrived;
    text[count] = 0;
    if (has_attributes(text)) {
      answer.is_answered = true;
      break;
    }
  }
  text[count] = 0;
  answer.has_true_colour = ask_colour && repeats_colour(text);
  answer.shows_utf8 = ask_utf8 && reported_column(text) == 2;
  if (!answer.is_answered) {
    const char *rest = unfinished_sequence(text);
    if (rest != NULL) strcpy(terminal_state.unfinished_answer, rest);
  }
  tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
  return answer;
}
