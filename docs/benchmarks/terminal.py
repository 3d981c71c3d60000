"""The real program in a pseudo terminal."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

FRAME_END = b"\x1b[?2026l"


class Review:
    """The program in a terminal of 200x60 cells, of a size in pixels where one is given."""

    def __init__(self, command, home, cell=(0, 0)):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            environment = dict(os.environ, HOME=home, TERM="xterm-256color", COLORTERM="truecolor",
                               XDG_STATE_HOME=home, XDG_CACHE_HOME=home, XDG_CONFIG_HOME=home)
            os.execvpe(command[0], command, environment)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 200 * cell[0], 60 * cell[1]))
        os.kill(self.process, signal.SIGWINCH)

    def read(self, until):
        """Output up to a time; None where the program ended."""
        if not select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0]:
            return b""
        try:
            return os.read(self.terminal, 1 << 20) or None
        except OSError:
            return None

    def read_some(self, count):
        """At most so many bytes of output, without waiting."""
        if not select.select([self.terminal], [], [], 0)[0]:
            return b""
        return os.read(self.terminal, count)

    def settle(self, seconds, quiet):
        """Reads until nothing came for `quiet` seconds; False where that does not happen in time."""
        end, last = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < end:
            data = self.read(min(end, last + quiet))
            if data is None:
                raise SystemExit("the review ended")
            if data:
                last = time.monotonic()
            elif time.monotonic() - last >= quiet:
                return True
        return False

    def seconds(self, key, limit=2.0):
        """From a key to the end of the first frame that begins after it."""
        while self.read(time.monotonic()):
            pass
        start, seen = time.monotonic(), b""
        os.write(self.terminal, key)
        while time.monotonic() < start + limit:
            data = self.read(start + limit)
            if data is None:
                raise SystemExit("the review ended")
            seen = (seen + data)[-(1 << 16):]
            if FRAME_END in seen:
                return time.monotonic() - start
        return None

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)
