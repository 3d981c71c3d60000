#include "CDicom.h"

// GDCM's headers include each other from their own folder, so no flag names it.
#include <gdcm-3.0/gdcmBitmap.h>
#include <gdcm-3.0/gdcmFragment.h>
#include <gdcm-3.0/gdcmSequenceOfFragments.h>
#include <gdcm-3.0/gdcmTransferSyntax.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

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
    return true;
  default:
    return false;
  }
}

bool decode(gdcm::TransferSyntax::TSType type, dicom_frame_format format, const char *bytes, uint32_t byte_count,
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
  fragment.SetByteValue(bytes, gdcm::VL(byte_count));
  gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = gdcm::SequenceOfFragments::New();
  fragments->AddFragment(fragment);
  gdcm::DataElement element(gdcm::Tag(0x7fe0, 0x0010));
  element.SetVR(gdcm::VR::OB);
  element.SetValue(*fragments);
  frame.SetDataElement(element);

  return frame.GetBufferLength() == pixel_byte_count && frame.GetBuffer(pixels);
}

/// Detaches the new process from the program's signal handlers, open files and terminal; it keeps memory and socket.
void leave_program(int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int number = 1; number < NSIG; ++number) {
    signal(number, SIG_DFL);
  }
  // Keys such as Ctrl-C reach this process too; only the program handles them, and ends its decoders.
  for (int number : {SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM}) {
    signal(number, SIG_IGN);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (socket > 3) {
    close_range(3, static_cast<unsigned>(socket) - 1, 0);
  }
  close_range(static_cast<unsigned>(socket) + 1, ~0U, 0);
  // GDCM's decoders print messages about damaged bytes.
  const int nowhere = open("/dev/null", O_RDWR);
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    dup2(nowhere, standard);
  }
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

/// Limits the address space of this process to its present size and what decoding a frame of this size may take.
void limit_memory(size_t pixel_byte_count) {
  unsigned long pages = 0;
  if (FILE *status = fopen("/proc/self/statm", "r")) {
    if (fscanf(status, "%lu", &pages) != 1) {
      pages = 0;
    }
    fclose(status);
  }
  if (pages > 0) {
    const rlim_t limit = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{256} << 20) + 16 * pixel_byte_count;
    const rlimit limits = {limit, limit};
    setrlimit(RLIMIT_AS, &limits);
  }
}

/// Ends this process once it has used far more CPU time than a frame of this size takes: 1 s, and 1 s for each MiB.
void limit_time(size_t pixel_byte_count) {
  itimerval limit = {};
  limit.it_value.tv_sec = static_cast<time_t>(1 + (pixel_byte_count >> 20));
  setitimer(ITIMER_PROF, &limit, nullptr);
}

} // namespace

struct dicom_decoder {
  gdcm::TransferSyntax::TSType type;
  dicom_frame_format format;
  char *memory;
  size_t memory_byte_count, pixel_byte_count;
  pid_t process;
  int socket;

  char *pixels() const { return memory; }
  char *bytes() const { return memory + pixel_byte_count; }

  /// Decodes until the program closes the socket.
  [[noreturn]] void run(int own_socket) const {
    leave_program(own_socket);
    limit_memory(pixel_byte_count);
    uint64_t byte_count = 0;
    while (read(own_socket, &byte_count, sizeof byte_count) == sizeof byte_count) {
      limit_time(pixel_byte_count);
      char is_decoded = 0;
      try {
        is_decoded = decode(type, format, bytes(), static_cast<uint32_t>(byte_count), pixels(), pixel_byte_count);
      } catch (...) {
      }
      if (write(own_socket, &is_decoded, 1) != 1) {
        break;
      }
    }
    _exit(0);
  }
};

bool dicom_can_decode(const char *transfer_syntax) {
  return is_decodable(gdcm::TransferSyntax::GetTSType(transfer_syntax));
}

dicom_decoder *dicom_decoder_start(const char *transfer_syntax, dicom_frame_format format, size_t largest_byte_count) {
  const gdcm::TransferSyntax::TSType type = gdcm::TransferSyntax::GetTSType(transfer_syntax);
  const size_t pixel_byte_count = size_t{format.columns} * format.rows * (format.bits_allocated / 8);
  if (!is_decodable(type) || largest_byte_count > UINT32_MAX - 1) {
    return nullptr;
  }
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return nullptr;
  }
  const size_t byte_count = pixel_byte_count + largest_byte_count;
  void *memory = mmap(nullptr, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  dicom_decoder *decoder = memory == MAP_FAILED ? nullptr : new (std::nothrow) dicom_decoder{
    type, format, static_cast<char *>(memory), byte_count, pixel_byte_count, -1, sockets[0]};
  if (decoder != nullptr) {
    decoder->process = fork();
    if (decoder->process == 0) {
      decoder->run(sockets[1]);
    }
  }
  close(sockets[1]);
  if (decoder != nullptr && decoder->process > 0) {
    return decoder;
  }
  close(sockets[0]);
  if (memory != MAP_FAILED) {
    munmap(memory, byte_count);
  }
  delete decoder;
  return nullptr;
}

void *dicom_decoder_bytes(const dicom_decoder *decoder) { return decoder->bytes(); }

const void *dicom_decoder_pixels(const dicom_decoder *decoder) { return decoder->pixels(); }

void dicom_decoder_begin(dicom_decoder *decoder, size_t byte_count) {
  const uint64_t message = byte_count;
  // dicom_decoder_wait reports a decoder that has ended.
  send(decoder->socket, &message, sizeof message, MSG_NOSIGNAL);
}

dicom_state dicom_decoder_wait(dicom_decoder *decoder, int milliseconds) {
  pollfd answer = {decoder->socket, POLLIN, 0};
  if (poll(&answer, 1, milliseconds) <= 0) {
    return dicom_running;
  }
  char is_decoded = 0;
  if (recv(decoder->socket, &is_decoded, 1, 0) != 1) {
    return dicom_ended;
  }
  return is_decoded ? dicom_decoded : dicom_damaged;
}

void dicom_decoder_stop(dicom_decoder *decoder) {
  close(decoder->socket);
  kill(decoder->process, SIGKILL);
  while (waitpid(decoder->process, nullptr, 0) < 0 && errno == EINTR) {
  }
  munmap(decoder->memory, decoder->memory_byte_count);
  delete decoder;
}
