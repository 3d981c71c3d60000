// Inflation by igzip of ISA-L, which takes half of zlib's time, where its library is installed.
//
// The library is loaded when it is first asked for, so that a machine without it needs nothing else.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The state of one stream.
typedef struct igzip igzip;

/// The state after a call of igzip_inflate.
enum igzip_status {
    /// The output is full or the input is used up.
    IGZIP_ADVANCED,
    /// A gzip member ended with the right checksum and length, or the bare deflated bytes ended.
    IGZIP_ENDED,
    IGZIP_INVALID_BLOCK,
    IGZIP_INVALID_CODE,
    IGZIP_INVALID_DISTANCE,
    IGZIP_INVALID_HEADER,
    IGZIP_UNKNOWN_METHOD,
    IGZIP_WRONG_CHECKSUM,
};

struct igzip_progress {
    /// Bytes of `input` that were used; negative where bytes of earlier calls, at most 8, turned out to lie after the
    /// end of the member.
    ptrdiff_t consumed;
    size_t written;
    enum igzip_status status;
};

/// Creates a stream of gzip, or of bare deflated bytes; NULL where the library is not installed or memory is exhausted.
igzip *igzip_create(bool is_gzip);

void igzip_destroy(igzip *stream);

/// Begins another member.
void igzip_begin(igzip *stream);

/// Inflates `input` into `output`; the 8 bytes before `input` are the last ones of the input before it. Each count is at most UINT32_MAX. No call may follow one that failed, or one that
/// ended a member without igzip_begin.
struct igzip_progress igzip_inflate(
    igzip *stream, const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count);
