#include "sequence.h"

#include <stdbool.h>

enum { ESCAPE = 27, BELL = 7, ORDINARY_MOUSE_LENGTH = 5 };

void terminal_sequence_begin(struct terminal_sequence *sequence) {
  sequence->count = 0;
  sequence->last = 0;
}

static void keep(struct terminal_sequence *sequence, uint32_t character) {
  if (sequence->count < TERMINAL_SEQUENCE_CAPACITY) sequence->characters[sequence->count++] = character;
  sequence->last = character;
}

/// Whether a string can begin so; Alt and a letter are no answer.
static bool begins_answer(uint32_t introducer, uint32_t character) {
  switch (introducer) {
    case 'P': return character == '>' || character == '0' || character == '1';
    case '_': return character == 'G';
    default: return character >= '0' && character <= '9';
  }
}

enum terminal_sequence_progress terminal_sequence_add(struct terminal_sequence *sequence, uint32_t character) {
  if (sequence->count == 0) {
    if (character != '[' && character != 'P' && character != '_' && character != ']') return TERMINAL_SEQUENCE_NONE;
    keep(sequence, character);
    return TERMINAL_SEQUENCE_PART;
  }
  const uint32_t introducer = sequence->characters[0];
  if (introducer == '[') {
    const bool is_mouse = sequence->count >= 2 && sequence->characters[1] == 'M';
    if (is_mouse) {
      if (character < 32) return TERMINAL_SEQUENCE_NONE;
      keep(sequence, character);
      return sequence->count == ORDINARY_MOUSE_LENGTH ? TERMINAL_SEQUENCE_WHOLE : TERMINAL_SEQUENCE_PART;
    }
    if (character < 0x20 || character > 0x7E) return TERMINAL_SEQUENCE_NONE;
    const bool begins_mouse = sequence->count == 1 && character == 'M';
    keep(sequence, character);
    return character < 0x40 || begins_mouse ? TERMINAL_SEQUENCE_PART : TERMINAL_SEQUENCE_WHOLE;
  }
  if (sequence->count == 1 && !begins_answer(introducer, character)) return TERMINAL_SEQUENCE_NONE;
  if (sequence->last == ESCAPE && character != '\\') return TERMINAL_SEQUENCE_NONE;
  const bool is_end = character == BELL || (sequence->last == ESCAPE && character == '\\');
  if (!is_end && character < 0x20 && character != ESCAPE) return TERMINAL_SEQUENCE_NONE;
  keep(sequence, character);
  return is_end ? TERMINAL_SEQUENCE_WHOLE : TERMINAL_SEQUENCE_PART;
}
