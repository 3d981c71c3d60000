// Captures standard error in memory while the terminal is in use; its tail is shown after the terminal is restored.
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TAIL = 4096 };

static int capture = -1;
static int original = -1;

bool write_all(int descriptor, const void *bytes, size_t count) {
  const char *at = bytes;
  while (count > 0) {
    const ssize_t written = write(descriptor, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {
      usleep(1000);
      continue;
    }
    if (written <= 0) return false;
    at += written;
    count -= (size_t)written;
  }
  return true;
}

void errors_capture(void) {
  // A standard error that goes to a file does not disturb the screen.
  if (original >= 0 || !isatty(STDERR_FILENO)) return;
  if (capture < 0) capture = memfd_create("standard error", MFD_CLOEXEC);
  if (capture < 0) return;
  original = dup(STDERR_FILENO);
  if (original >= 0) dup2(capture, STDERR_FILENO);
}

// Async-signal-safe, like errors_replay: the crash handler calls both.
void errors_release(void) {
  if (original < 0) return;
  dup2(original, STDERR_FILENO);
  close(original);
  original = -1;
}

void errors_replay(void) {
  if (capture < 0) return;
  struct stat status;
  if (fstat(capture, &status) != 0 || status.st_size == 0) return;
  static char tail[TAIL];
  const off_t start = status.st_size > TAIL ? status.st_size - TAIL : 0;
  const ssize_t count = pread(capture, tail, TAIL, start);
  if (count > 0) write_all(STDERR_FILENO, tail, (size_t)count);
  if (ftruncate(capture, 0) == 0) lseek(capture, 0, SEEK_SET);
}
