#pragma once

// Decodes compressed frames of DICOM files with GDCM. No C++ exception leaves these functions, and they write nowhere but
// to the caller's memory.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a file states of a frame of one number per pixel.
typedef struct {
  uint32_t columns, rows;
  /// Bits of a pixel in memory (8, 16 or 32), and those of them that hold its number.
  uint16_t bits_allocated, bits_stored;
  /// Whether numbers are two's complement.
  bool is_signed;
} dicom_frame_format;

/// Whether GDCM has a decoder for a transfer syntax.
/// @param transfer_syntax Its UID.
bool dicom_can_decode(const char *transfer_syntax);

/// Decodes one frame into `pixels`, row by row, in this machine's byte order.
///
/// The caller has compared the size that the compressed bytes state with `format`: some decoders of GDCM write as much as
/// the bytes state.
///
/// @param transfer_syntax The UID of the transfer syntax.
/// @param bytes The fragments of the frame, one after the other.
/// @param pixels Memory for columns x rows pixels.
/// @return Whether the frame was decoded; otherwise `pixels` holds anything.
bool dicom_decode_frame(const char *transfer_syntax, dicom_frame_format format, const void *bytes,
                        size_t byte_count, void *pixels, size_t pixel_byte_count);

#ifdef __cplusplus
}
#endif
