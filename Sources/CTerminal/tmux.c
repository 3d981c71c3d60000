// Asks the tmux around this process, by its own command.
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MILLISECONDS = 300 };

/// Starts tmux with its output in `writer`; 0 where that fails.
static pid_t start_tmux(int writer) {
  char *pane = getenv("TMUX_PANE");
  char *const with_pane[] = {
    "tmux", "display-message", "-p", "-t", pane,
    "#{allow-passthrough}\n#{client_termname}\n#{client_termtype}\n#{pane_top}\n#{pane_left}\n"
    "#{?#{==:#{status-position},top},#{status},off}", NULL};
  char *const without_pane[] = {"tmux", "display-message", "-p", with_pane[5], NULL};
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return 0;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writer, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawnp(&child, "tmux", &actions, NULL, pane != NULL ? with_pane : without_pane, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : 0;
}

int32_t terminal_ask_tmux(char *text, size_t size) {
  int ends[2];
  if (size == 0 || pipe2(ends, O_CLOEXEC) != 0) return -1;
  const pid_t child = start_tmux(ends[1]);
  close(ends[1]);
  size_t count = 0;
  bool has_ended = false;
  const int64_t deadline = milliseconds_now() + PATIENCE_MILLISECONDS;
  while (child > 0 && count + 1 < size) {
    const int64_t left = deadline - milliseconds_now();
    struct pollfd waiting = {.fd = ends[0], .events = POLLIN};
    const int ready = left > 0 ? poll(&waiting, 1, (int)left) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t arrived = read(ends[0], text + count, size - 1 - count);
    if (arrived < 0 && errno == EINTR) continue;
    if (arrived <= 0) {
      has_ended = arrived == 0;
      break;
    }
    count += (size_t)arrived;
  }
  text[count] = 0;
  close(ends[0]);
  if (child <= 0) return -1;
  if (!has_ended) kill(child, SIGKILL);
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return has_ended && status == 0 ? 0 : -1;
}
