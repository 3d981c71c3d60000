#include "CDicom.h"

// GDCM's headers include each other from their own folder, so no flag names it.
#include <gdcm-3.0/gdcmBitmap.h>
#include <gdcm-3.0/gdcmFragment.h>
#include <gdcm-3.0/gdcmSequenceOfFragments.h>
#include <gdcm-3.0/gdcmTrace.h>
#include <gdcm-3.0/gdcmTransferSyntax.h>

#include <cstdio>
#include <unistd.h>

namespace {

/// Whether this thread decodes, so that nothing that it writes to stderr is meant for the user.
thread_local bool is_decoding = false;

/// What writes to stdio's stderr: the standard error of the process, unless a decoder writes.
ssize_t write_unless_decoding(void *, const char *bytes, size_t count) {
  if (is_decoding) {
    return static_cast<ssize_t>(count);
  }
  const ssize_t written = write(STDERR_FILENO, bytes, count);
  return written < 0 ? 0 : written;
}

/// Keeps the messages of decoders from stderr, once for the process; the screen is not their own.
///
/// GDCM's own are turned off. OpenJPEG's and libjpeg's go to stdio's stderr whatever GDCM is told, so that stream is
/// replaced by one that leaves them out, thread by thread.
void silence_decoders() {
  static const bool is_silent = [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
    cookie_io_functions_t functions = {};
    functions.write = write_unless_decoding;
    if (FILE *filtered = fopencookie(nullptr, "w", functions)) {
      setvbuf(filtered, nullptr, _IONBF, 0);
      stderr = filtered;
    }
    return true;
  }();
  (void)is_silent;
}

/// Marks this thread as decoding.
struct Decoding {
  Decoding() { is_decoding = true; }
  ~Decoding() { is_decoding = false; }
};

bool is_decodable(gdcm::TransferSyntax::TSType type) {
  switch (type) {
  case gdcm::TransferSyntax::JPEGBaselineProcess1:
  case gdcm::TransferSyntax::JPEGExtendedProcess2_4:
  case gdcm::TransferSyntax::JPEGLosslessProcess14:
  case gdcm::TransferSyntax::JPEGLosslessProcess14_1:
  case gdcm::TransferSyntax::JPEGLSLossless:
  case gdcm::TransferSyntax::JPEGLSNearLossless:
  case gdcm::TransferSyntax::JPEG2000Lossless:
  case gdcm::TransferSyntax::JPEG2000:
  case gdcm::TransferSyntax::RLELossless:
    return true;
  default:
    return false;
  }
}

bool decode(gdcm::TransferSyntax::TSType type, dicom_frame_format format, const void *bytes, uint32_t byte_count,
            char *pixels, size_t pixel_byte_count) {
  gdcm::Bitmap frame;
  frame.SetNumberOfDimensions(2);
  frame.SetDimension(0, format.columns);
  frame.SetDimension(1, format.rows);
  frame.SetPixelFormat(gdcm::PixelFormat(1, format.bits_allocated, format.bits_stored,
                                         static_cast<unsigned short>(format.bits_stored - 1), format.is_signed));
  frame.SetPhotometricInterpretation(gdcm::PhotometricInterpretation(gdcm::PhotometricInterpretation::MONOCHROME2));
  frame.SetTransferSyntax(gdcm::TransferSyntax(type));

  gdcm::Fragment fragment;
  fragment.SetByteValue(static_cast<const char *>(bytes), gdcm::VL(byte_count));
  gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = gdcm::SequenceOfFragments::New();
  fragments->AddFragment(fragment);
  gdcm::DataElement element(gdcm::Tag(0x7fe0, 0x0010));
  element.SetVR(gdcm::VR::OB);
  element.SetValue(*fragments);
  frame.SetDataElement(element);

  return frame.GetBufferLength() == pixel_byte_count && frame.GetBuffer(pixels);
}

} // namespace

bool dicom_can_decode(const char *transfer_syntax) {
  return is_decodable(gdcm::TransferSyntax::GetTSType(transfer_syntax));
}

bool dicom_decode_frame(const char *transfer_syntax, dicom_frame_format format, const void *bytes,
                        size_t byte_count, void *pixels, size_t pixel_byte_count) {
  if (byte_count > UINT32_MAX - 1) {
    return false;
  }
  try {
    silence_decoders();
    const Decoding decoding;
    const gdcm::TransferSyntax::TSType type = gdcm::TransferSyntax::GetTSType(transfer_syntax);
    return is_decodable(type) && decode(type, format, bytes, static_cast<uint32_t>(byte_count),
                                        static_cast<char *>(pixels), pixel_byte_count);
  } catch (...) {
    return false;
  }
}
