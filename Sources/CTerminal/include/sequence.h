// Recognises the end of an escape sequence, character by character. Pure: no terminal is touched.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TERMINAL_SEQUENCE_CAPACITY = 1024 };

/// The characters after Escape of a sequence so far; of a longer one the first ones.
struct terminal_sequence {
  uint32_t characters[TERMINAL_SEQUENCE_CAPACITY];
  size_t count;
  uint32_t last;
};

enum terminal_sequence_progress {
  TERMINAL_SEQUENCE_PART,   // more must follow
  TERMINAL_SEQUENCE_WHOLE,  // the character was the last one
  TERMINAL_SEQUENCE_NONE,   // the character does not belong to the sequence, which ends without it
};

/// Forgets the sequence; the next character is the first after Escape.
void terminal_sequence_begin(struct terminal_sequence *sequence);

/// Adds a character, and says where the sequence stands.
///
/// Sequences are control sequences (ESC [), mouse reports of the oldest kind among them, and answers to questions that
/// are strings: DCS (ESC P), APC of the graphics protocol (ESC _ G) and OSC (ESC ]), up to BEL or ESC \.
enum terminal_sequence_progress terminal_sequence_add(struct terminal_sequence *sequence, uint32_t character);
