#include "CDicom.h"

// GDCM's headers include each other from their own folder, so no flag names it.
#include <gdcm-3.0/gdcmImage.h>
#include <gdcm-3.0/gdcmImageReader.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <dlfcn.h>
#include <fcntl.h>
#include <initializer_list>
#include <new>
#include <poll.h>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// The transfer syntaxes that GDCM decodes: JPEG baseline, extended, lossless (any predictor, the first), JPEG-LS
/// lossless and near lossless, JPEG 2000 lossless and lossy.
bool is_decodable(const std::string &transfer_syntax) {
  for (const char *number : {"50", "51", "57", "70", "80", "81", "90", "91"}) {
    if (transfer_syntax == std::string("1.2.840.10008.1.2.4.") + number) {
      return true;
    }
  }
  return false;
}

/// The functions of GDCM that are called. Its libraries take 20 ms to load, which every start of the program would wait for,
/// so they are loaded before the first frame is decoded. All other functions are virtual ones of `gdcm::ImageReader`, or inline.
struct gdcm_library {
  void (*construct)(void *reader) = nullptr;
  const gdcm::Image &(*image)(const gdcm::ImageReader *reader) = nullptr;
  unsigned long (*byte_count)(const gdcm::Bitmap *image) = nullptr;
  bool (*copy)(const gdcm::Bitmap *image, char *pixels) = nullptr;

  gdcm_library() {
    // The headers and the library must be of one version, because the size of a reader comes from the headers.
    void *library = dlopen("libgdcmMSFF.so." GDCM_API_VERSION, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return;
    }
    find(library, "_ZN4gdcm11ImageReaderC1Ev", construct);
    find(library, "_ZNK4gdcm11ImageReader8GetImageEv", image);
    find(library, "_ZNK4gdcm6Bitmap15GetBufferLengthEv", byte_count);
    find(library, "_ZNK4gdcm6Bitmap9GetBufferEPc", copy);
  }

  bool is_loaded() const { return construct && image && byte_count && copy; }

  static const gdcm_library &shared() {
    static const gdcm_library library;
    return library;
  }

private:
  template <typename Function> static void find(void *library, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
  }
};

/// A DICOM file, with explicit value representations, around one compressed frame.
class frame_file {
  std::string content = std::string(128, '\0') + "DICM";

  void number(uint32_t value, int byte_count) {
    for (int byte = 0; byte < byte_count; ++byte) {
      content += static_cast<char>(value >> 8 * byte & 0xff);
    }
  }

  void tag(uint16_t group, uint16_t element) {
    number(group, 2);
    number(element, 2);
  }

  /// The value of a UID is padded with 0 to an even length.
  void text(uint16_t group, uint16_t element, const char *representation, std::string value) {
    value.resize(value.size() + value.size() % 2);
    tag(group, element);
    content += representation;
    number(static_cast<uint32_t>(value.size()), 2);
    content += value;
  }

  void unsigned_short(uint16_t group, uint16_t element, uint32_t value) {
    tag(group, element);
    content += "US";
    number(2, 2);
    number(value, 2);
  }

public:
  frame_file(const char *transfer_syntax, dicom_frame_format format, const char *bytes, uint32_t byte_count) {
    const char *secondary_capture = "1.2.840.10008.5.1.4.1.1.7";
    text(0x0002, 0x0002, "UI", secondary_capture);
    text(0x0002, 0x0010, "UI", transfer_syntax);
    text(0x0008, 0x0016, "UI", secondary_capture);
    text(0x0008, 0x0018, "UI", "1.2.3");
    unsigned_short(0x0028, 0x0002, 1);
    text(0x0028, 0x0004, "CS", "MONOCHROME2 ");
    unsigned_short(0x0028, 0x0010, format.rows);
    unsigned_short(0x0028, 0x0011, format.columns);
    unsigned_short(0x0028, 0x0100, format.bits_allocated);
    unsigned_short(0x0028, 0x0101, format.bits_stored);
    unsigned_short(0x0028, 0x0102, format.bits_stored - 1U);
    unsigned_short(0x0028, 0x0103, format.is_signed);
    tag(0x7fe0, 0x0010);
    content += std::string("OB\0\0", 4);
    number(0xffffffff, 4);
    // An empty table of offsets, then the only fragment.
    for (uint32_t size : {0U, byte_count}) {
      tag(0xfffe, 0xe000);
      number(size, 4);
    }
    content.append(bytes, byte_count);
    tag(0xfffe, 0xe0dd);
    number(0, 4);
  }

  std::istringstream stream() && { return std::istringstream(std::move(content)); }
};

bool decode(const char *transfer_syntax, dicom_frame_format format, const char *bytes, uint32_t byte_count, char *pixels,
            size_t pixel_byte_count) {
  const gdcm_library &library = gdcm_library::shared();
  std::istringstream stream = frame_file(transfer_syntax, format, bytes, byte_count).stream();
  alignas(gdcm::ImageReader) char memory[sizeof(gdcm::ImageReader)];
  library.construct(memory);
  // The destructor is not called after an exception; the process decodes few frames after one.
  auto *reader = reinterpret_cast<gdcm::ImageReader *>(memory);
  reader->SetStream(stream);
  bool is_decoded = false;
  if (reader->Read()) {
    const gdcm::Image *image = &library.image(reader);
    is_decoded = library.byte_count(image) == pixel_byte_count && library.copy(image, pixels);
  }
  reader->~ImageReader();
  return is_decoded;
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

/// Lets this process open no further file and start no other one: root's may still fork, but the shell that it starts
/// cannot load its libraries.
///
/// Where its own decoder fails on JPEG, GDCM writes the frame to a temporary file, which it leaves there, and runs
/// `pvrg-jpeg` on it.
void forbid_files_and_processes() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_NOFILE, &none);
  setrlimit(RLIMIT_NPROC, &none);
}

} // namespace

struct dicom_decoder {
  std::string transfer_syntax;
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
    forbid_files_and_processes();
    uint64_t byte_count = 0;
    while (read(own_socket, &byte_count, sizeof byte_count) == sizeof byte_count) {
      limit_time(pixel_byte_count);
      char is_decoded = 0;
      try {
        is_decoded = decode(transfer_syntax.c_str(), format, bytes(), static_cast<uint32_t>(byte_count), pixels(), pixel_byte_count);
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
  return is_decodable(transfer_syntax);
}

bool dicom_library_is_installed(void) { return gdcm_library::shared().is_loaded(); }

dicom_decoder *dicom_decoder_start(const char *transfer_syntax, dicom_frame_format format, size_t largest_byte_count) {
  const size_t pixel_byte_count = size_t{format.columns} * format.rows * (format.bits_allocated / 8);
  if (!dicom_can_decode(transfer_syntax) || !dicom_library_is_installed() || largest_byte_count > UINT32_MAX - 1) {
    return nullptr;
  }
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return nullptr;
  }
  const size_t byte_count = pixel_byte_count + largest_byte_count;
  void *memory = mmap(nullptr, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  dicom_decoder *decoder = memory == MAP_FAILED ? nullptr : new (std::nothrow) dicom_decoder{
    transfer_syntax, format, static_cast<char *>(memory), byte_count, pixel_byte_count, -1, sockets[0]};
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
