"""What the comparisons share: virtual environments, timed processes in turn, the machine's facts, Markdown tables."""
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import venv

FOLDER = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(os.path.dirname(FOLDER))


def add_options(parser, output):
    parser.add_argument("--peers", required=True, metavar="DIR",
                        help="virtual environment of the peers; made and filled from PyPI where it does not exist")
    parser.add_argument("--binaries", default=os.path.join(CHECKOUT, ".build/release"), metavar="DIR",
                        help="where segdeck and segdeck-bench were built")
    parser.add_argument("--rounds", type=int, default=3, help="number of turns of every program")
    parser.add_argument("--wrap", default="", metavar="CMD", help="words put before every timed command")
    parser.add_argument("--output", default=os.path.join(FOLDER, output), help="the table to write")


def environment(folder, packages, before=()):
    """The Python of a virtual environment with the packages."""
    python = os.path.join(folder, "bin/python")
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
        for arguments in [*before, packages]:
            subprocess.run([python, "-m", "pip", "install", "-q", *arguments], check=True)
    return python


class Runner:
    """Runs commands one after the other and collects their lines of JSON."""

    def __init__(self, options):
        self.before = options.wrap.split()
        self.failures = []

    def lines(self, command, **variables):
        done = subprocess.run(self.before + command, env=dict(os.environ, **variables), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            self.failures.append(f"`{' '.join(os.path.basename(word) for word in command)}`: exit {done.returncode}: {last}")
            print(self.failures[-1], file=sys.stderr)
            return []
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        for line in lines:
            print(json.dumps(line), flush=True)
        return lines


class Results:
    """Lines of one thing measured by several programs in several rounds."""

    def __init__(self):
        self.lines = {}

    def add(self, program, line):
        self.lines.setdefault(program, []).append(line)

    def value(self, program, key, join=statistics.median):
        values = [line[key] for line in self.lines.get(program, []) if line.get(key) is not None]
        return join(values) if values else None

    def fastest(self, programs):
        """The least median of the programs, and whose it is."""
        found = [(self.value(program, "median_s"), program) for program in programs]
        return min((pair for pair in found if pair[0] is not None), default=(None, None))

    def table(self, peers, own):
        """Markdown rows: the peers, then our own with how many times faster than the fastest peer."""
        rows = ["| program | first run s | median s | least s | prepared in s | peak MB | against the fastest peer |",
                "|---|---|---|---|---|---|---|"]
        best, _ = self.fastest(peers)
        for program in [*peers, *own]:
            if program not in self.lines:
                rows.append(f"| {program} | did not run | | | | | |")
                continue
            median = self.value(program, "median_s")
            rows.append("| " + " | ".join([
                program, seconds(self.value(program, "first_s")), seconds(median),
                seconds(self.value(program, "min_s", min)), seconds(self.value(program, "prepare_s")),
                f"{self.value(program, 'peak_mb', max):.0f}", ratio(best, median)]) + " |")
        return rows


def seconds(value):
    return "" if value is None else f"{value:.3f}" if value < 10 else f"{value:.1f}"


def times(count):
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def ratio(best, median):
    if not best or not median:
        return ""
    return f"{best / median:.2f}x as fast" if best >= median else f"{best / median:.2f}x as fast (slower)"


def machine():
    """Lines about where and when this ran."""
    info = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            info.setdefault(key.strip(), value.strip())
    flags = info.get("flags", info.get("Features", "")).split()
    levels = [name for flag, name in [("sse2", "SSE2"), ("avx2", "AVX2"), ("avx512f", "AVX-512"), ("asimd", "NEON")]
              if flag in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(["git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True)
    model = info.get("model name", platform.machine())
    model += f" (family {info['cpu family']}, model {info['model']})" if "model" in info else ""
    return [
        f"- machine: {model}, {os.cpu_count()} cores, {', '.join(levels)}, {memory:.0f} GiB",
        f"- system: {platform.system()} {platform.release()}, {platform.freedesktop_os_release()['PRETTY_NAME']}",
        f"- date: {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, load before the first run "
        f"{os.getloadavg()[0]:.1f}; commit {commit.stdout.strip() or 'unknown'}",
    ]


def write(path, lines, failures):
    if failures:
        lines = lines + ["", "## What did not run", ""] + [f"- {failure}" for failure in failures]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"wrote {path}", file=sys.stderr)
