// Restores the terminal where this process cannot: after SIGKILL, which the kernel also sends where memory runs out. A
// second process, the guard, waits for the end of this one; it holds none of its files and none of its work.
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct terminal_restoration own;
struct terminal_restoration *terminal_restoration = &own;

static pid_t guard;
/// Only this process holds it, so that its end closes it.
static int guard_writer = -1;

/// Whether a terminal is in the modes that the program set; a shell may have restored it already.
static bool has_program_modes(void) {
  const struct termios *program = &terminal_restoration->program_modes;
  struct termios now;
  return tcgetattr(STDIN_FILENO, &now) == 0 && now.c_iflag == program->c_iflag && now.c_oflag == program->c_oflag &&
         now.c_cflag == program->c_cflag && now.c_lflag == program->c_lflag;
}

/// The life of the guard. Only functions that are safe after fork in a process with threads.
static _Noreturn void run_guard(int reader) {
  // Neither stopped nor interrupted with the program, nor ended by its name.
  setpgid(0, 0);
  prctl(PR_SET_NAME, "terminal-guard");
  for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
  // Whoever waits for the end of the program's files must not wait for the guard.
  close(STDERR_FILENO);
  close_range(STDERR_FILENO + 1, (unsigned)reader - 1, 0);
  close_range((unsigned)reader + 1, ~0U, 0);
  char byte;
  while (read(reader, &byte, 1) < 0 && errno == EINTR) {}
  if (!terminal_restoration->is_needed) _exit(0);
  if (!has_program_modes()) tcgetattr(STDIN_FILENO, &terminal_restoration->saved_modes);
  terminal_restore();
  // A shell that was faster has printed its prompt where the program's picture was, and it went with that.
  static const char note[] = "\r\nThe program was killed. Without a prompt here, press Enter.\r\n";
  write_all(STDOUT_FILENO, note, sizeof note - 1);
  _exit(0);
}

void guard_start(void) {
  if (guard_writer >= 0) return;
  if (terminal_restoration == &own) {
    const int access = PROT_READ | PROT_WRITE;
    void *shared = mmap(NULL, sizeof own, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return;
    terminal_restoration = shared;
    *terminal_restoration = own;
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return;
  guard = fork();
  if (guard == 0) run_guard(ends[0]);
  close(ends[0]);
  guard_writer = ends[1];
  if (guard < 0) guard_stop();
}

void guard_stop(void) {
  if (guard_writer >= 0) close(guard_writer);
  guard_writer = -1;
  while (guard > 0 && waitpid(guard, NULL, 0) < 0 && errno == EINTR) {}
  guard = 0;
}
