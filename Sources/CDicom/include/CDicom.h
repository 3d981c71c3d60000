#pragma once

// Decodes compressed frames of DICOM files with GDCM, in processes of their own: its decoders abort on some damaged bytes and
// never end on others. No C++ exception leaves these functions.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The format of a frame with one number per pixel, as the file states it.
typedef struct {
  uint32_t columns, rows;
  /// Bits of a pixel in memory (8, 16 or 32), and those of them that hold its number.
  uint16_t bits_allocated, bits_stored;
  /// Whether the numbers are signed (two's complement).
  bool is_signed;
} dicom_frame_format;

/// The state of a frame after waiting for it.
typedef enum {
  /// The decoder still runs after the time to wait.
  dicom_running,
  dicom_decoded,
  /// The bytes are damaged; the decoder can go on with another frame.
  dicom_damaged,
  /// The decoder ended: it crashed, or needed more time or memory than any frame of this size does. It decodes no other frame.
  dicom_ended,
} dicom_state;

/// A process that decodes one frame after the other. It is used by one thread at a time.
typedef struct dicom_decoder dicom_decoder;

/// Whether GDCM has a decoder for a transfer syntax.
/// @param transfer_syntax Its UID.
bool dicom_can_decode(const char *transfer_syntax);

/// Whether GDCM's library is installed. The first call loads it.
bool dicom_library_is_installed(void);

/// Starts a decoder. It is killed when the thread that started it ends, at the latest.
///
/// @param transfer_syntax The UID of the transfer syntax.
/// @param largest_byte_count The most bytes that a compressed frame has.
/// @return NULL for a syntax that GDCM cannot decode, without GDCM, and where the system cannot provide the memory or the process.
dicom_decoder *dicom_decoder_start(const char *transfer_syntax, dicom_frame_format format, size_t largest_byte_count);

/// Memory for the fragments of a frame, one after the other.
void *dicom_decoder_bytes(const dicom_decoder *decoder);

/// The pixels of a decoded frame, row by row, in this machine's byte order, until the next frame begins.
const void *dicom_decoder_pixels(const dicom_decoder *decoder);

/// Begins to decode the first `byte_count` of its bytes.
///
/// The caller must have compared the size that the codestream states with the format, because some decoders of GDCM
/// write as many pixels as it states.
void dicom_decoder_begin(dicom_decoder *decoder, size_t byte_count);

/// Waits for a frame that was begun.
/// @param milliseconds The longest time to wait.
dicom_state dicom_decoder_wait(dicom_decoder *decoder, int milliseconds);

/// Kills a decoder, even while it runs, and frees its memory.
void dicom_decoder_stop(dicom_decoder *decoder);

#ifdef __cplusplus
}
#endif
