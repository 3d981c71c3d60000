#!/usr/bin/env python3
"""Compares what real terminals show with the pixels that were sent to them.

    Tests/RealTerminals/compare.py [SEGDECK]

Starts the review in kitty (its graphics protocol) and in xterm (sixel) without a screen, records every byte that they get (`script`), decodes
the pictures in them, and takes a screenshot. Prints for each terminal the root mean square difference of the pixels of the pictures, 0 to 255,
and fails where it is larger than 3, or where a terminal shows no pictures. Needs Debian's kitty xterm xvfb libgl1-mesa-dri imagemagick xdotool
python3-numpy python3-pil.
"""
import base64
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib

import numpy
from PIL import Image

COLUMNS, ROWS = 150, 44
LARGEST_DIFFERENCE = 3.0
KEYS = "]]]]]]"


class Picture:
    """The pixels of a terminal's pictures: what is not known, or text, has no pixels."""

    def __init__(self, cell):
        self.cell = cell
        self.pixels = numpy.zeros((ROWS * cell[1], COLUMNS * cell[0], 3))
        self.is_known = numpy.zeros(self.pixels.shape[:2], bool)

    def area(self, row, column, rows, columns):
        width, height = self.cell
        return (slice(row * height, (row + rows) * height), slice(column * width, (column + columns) * width))

    def forget(self, row, column, rows=1, columns=1):
        self.is_known[self.area(row, column, rows, columns)] = False

    def draw(self, row, column, pixels):
        top, left = row * self.cell[1], column * self.cell[0]
        height = min(pixels.shape[0], self.pixels.shape[0] - top)
        width = min(pixels.shape[1], self.pixels.shape[1] - left)
        self.pixels[top : top + height, left : left + width] = pixels[:height, :width]
        self.is_known[top : top + height, left : left + width] = True


def sixel_pixels(text):
    """The pixels of a sixel image all of whose pixels are set, or black."""
    raster = re.match(r'"\d+;\d+;(\d+);(\d+)', text)
    width, height = int(raster[1]), int(raster[2])
    pixels = numpy.zeros((height + 6, width, 3))
    registers, colour, x, top = {}, None, 0, 0
    for token in re.finditer(r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)([?-~])|([?-~])|([-$])", text[raster.end() :]):
        register, red, green, blue, count, repeated, single, move = token.groups()
        if register and red:
            registers[register] = numpy.array([int(red), int(green), int(blue)]) * 255 / 100
        elif register:
            colour = registers[register]
        elif move:
            x, top = 0, top + (6 if move == "-" else 0)
        else:
            bits, length = ord(repeated or single) - 63, int(count or 1)
            for bit in range(6):
                if bits >> bit & 1:
                    pixels[top + bit, x : x + length] = colour
            x += length
    return pixels[:height]


def kitty_pixels(keys, data):
    """The pixels of an image of kitty's protocol, without transparency."""
    if keys.get("o") == "z":
        data = zlib.decompress(data)
    if keys.get("f") == "100":
        return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
    channels = 3 if keys.get("f") == "24" else 4
    return numpy.frombuffer(data, numpy.uint8).reshape(int(keys["v"]), int(keys["s"]), channels)[:, :, :3].astype(float)


class Decoder:
    """Follows the bytes that a terminal gets, as far as pictures need it."""

    SEQUENCE = re.compile(
        r"\x1bP([^\x1b]*)\x1b\\|\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\|\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)"
        r"|\x1b\[([?<>=!]?)([0-9;:]*)([ -/]*)([@-~])|\x1b[()]?(.)|([\x00-\x1f])|([^\x00-\x1f])"
    )

    def __init__(self, cell):
        self.picture = Picture(cell)
        self.row = self.column = 0
        self.saved = (0, 0)
        self.images, self.transfer = {}, None

    def shown(self):
        """The picture, with kitty's images, which text does not cover, in the order in which they were placed."""
        for row, column, pixels in self.images.values():
            self.picture.draw(row, column, pixels)
        return self.picture

    def feed(self, text):
        for match in self.SEQUENCE.finditer(text):
            sixel, keys, data, _, private, numbers, between, final, escape, control, character = match.groups()
            if sixel is not None:
                if "q" in sixel and '"' in sixel:
                    self.picture.draw(self.row, self.column, sixel_pixels(sixel[sixel.index('"') :]))
            elif keys is not None:
                self.kitty(dict(part.split("=", 1) for part in keys.split(",") if "=" in part), data)
            elif final and not private and not between:
                self.control(final, [int(number or 0) for number in numbers.split(";")] if ":" not in numbers else [0])
            elif escape == "7":
                self.saved = (self.row, self.column)
            elif escape == "8":
                self.row, self.column = self.saved
            elif control == "\r":
                self.column = 0
            elif control == "\n":
                self.row = min(ROWS - 1, self.row + 1)
            elif control == "\b":
                self.column = max(0, self.column - 1)
            elif character:
                self.write(1)

    def write(self, count):
        for _ in range(count):
            if self.row < ROWS and self.column < COLUMNS:
                self.picture.forget(self.row, self.column)
            self.column += 1

    def control(self, final, numbers):
        first = max(1, numbers[0])
        if final in "Hf":
            self.row, self.column = first - 1, max(1, numbers[1] if len(numbers) > 1 else 1) - 1
        elif final in "ABCD":
            self.row += {"A": -first, "B": first}.get(final, 0)
            self.column += {"C": first, "D": -first}.get(final, 0)
        elif final == "G":
            self.column = first - 1
        elif final == "d":
            self.row = first - 1
        elif final == "X":
            self.picture.forget(self.row, self.column, 1, first)
        elif final == "K":
            self.picture.forget(self.row, 0 if numbers[0] else self.column, 1, COLUMNS)
        elif final == "J":
            self.picture.forget(0 if numbers[0] == 2 else self.row, 0, ROWS, COLUMNS)
        elif final == "b":
            self.write(first)
        self.row, self.column = max(0, min(ROWS - 1, self.row)), max(0, self.column)

    def kitty(self, keys, data):
        if keys.get("a") == "d":
            if keys.get("d") == "I":
                self.images.pop(keys.get("i"), None)
            else:
                self.images.clear()
            return
        if keys.get("a") == "T":
            self.transfer = (keys, (self.row, self.column), [])
        if self.transfer is None or keys.get("a") == "q":
            return
        self.transfer[2].append(data)
        if keys.get("m", "0") == "1":
            return
        (keys, (row, column), parts), self.transfer = self.transfer, None
        self.images.pop(keys["i"], None)
        rows, columns = int(keys["r"]), int(keys["c"])
        pixels = kitty_pixels(keys, base64.b64decode("".join(parts)))
        size = (columns * self.picture.cell[0], rows * self.picture.cell[1])
        if pixels.shape[1::-1] != size:
            sized = Image.fromarray(pixels.astype(numpy.uint8)).resize(size, Image.BILINEAR)
            pixels = numpy.asarray(sized, float)
        self.images[keys["i"]] = (row, column, pixels)


def difference(shown, picture):
    """The root mean square difference of the known pixels, at the margin of the window where it is least."""
    known, height, width = picture.is_known, *picture.is_known.shape
    found = []
    for top in range(0, 6):
        for left in range(0, 6):
            part = shown[top : top + height, left : left + width]
            if part.shape[:2] == known.shape:
                found.append((float(numpy.sqrt(((part - picture.pixels)[known] ** 2).mean())), top, left))
    return min(found)


def wait_for_pictures(path, seconds=60):
    """Waits until a terminal got pictures and gets no more bytes for a second; a busy machine starts it late."""
    end, size = time.time() + seconds, 0
    while time.time() < end:
        time.sleep(1)
        sent = open(path, "rb").read() if os.path.exists(path) else b""
        if size == len(sent) and (b"a=T,f=100" in sent or b"\x1bP0;" in sent or b"\x1bPq" in sent):
            return
        size = len(sent)


def look(name, words, segdeck, folder, display):
    """Runs the review in a terminal: the screenshot, the bytes that it got, and the size of its window."""
    environment = dict(os.environ, DISPLAY=display, LIBGL_ALWAYS_SOFTWARE="1", XDG_STATE_HOME=f"{folder}/{name}")
    bytes_path, picture_path = f"{folder}/{name}.bytes", f"{folder}/{name}.png"
    # The recording outlives its terminal, so the program is asked to end, and is given three minutes in any case.
    command = ["timeout", "--foreground", "180", "script", "-q", "-f", "-c", f"{segdeck} review", bytes_path]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    terminal = subprocess.Popen(words + command, env=environment, **quiet)
    try:
        wait_for_pictures(bytes_path)
        subprocess.run(["xdotool", "type", "--delay", "150", KEYS], env=environment, check=True)
        time.sleep(1)
        wait_for_pictures(bytes_path)
        subprocess.run(["import", "-window", "root", picture_path], env=environment, check=True)
        search = ["xdotool", "search", "--onlyvisible", "--name", ".", "getwindowgeometry", "--shell"]
        geometry = subprocess.run(search, env=environment, capture_output=True, text=True, check=True).stdout
        # At its end the program removes its pictures.
        with open(bytes_path, "rb") as file:
            sent = file.read().decode("utf-8", "replace")
        subprocess.run(["xdotool", "type", "q"], env=environment, check=True)
        time.sleep(2)
    finally:
        terminal.terminate()
        terminal.wait()
    size = [int(re.search(rf"{key}=(\d+)", geometry)[1]) for key in ("WIDTH", "HEIGHT")]
    return numpy.asarray(Image.open(picture_path).convert("RGB"), float), sent, size


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    segdeck = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else f"{here}/../../.build/release/segdeck"
    terminals = {
        "kitty": ["kitty", "-o", "update_check_interval=0", "-o", "remember_window_size=no"]
        + ["-o", f"initial_window_width={COLUMNS}c", "-o", f"initial_window_height={ROWS}c", "-o", "font_size=10"],
        "xterm": ["xterm", "-ti", "vt340", "-geometry", f"{COLUMNS}x{ROWS}", "-bg", "black", "-fg", "gray90"]
        + ["-fa", "DejaVu Sans Mono", "-fs", "10", "-e"],
    }
    display = f":{random.randint(90, 900)}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(["Xvfb", display, "-screen", "0", "2000x1400x24", "+extension", "GLX"], **quiet)
    failures = 0
    try:
        time.sleep(1)
        with tempfile.TemporaryDirectory() as folder:
            for name, words in terminals.items():
                shown, sent, (width, height) = look(name, words, segdeck, folder, display)
                decoder = Decoder((width // COLUMNS, height // ROWS))
                decoder.feed(sent)
                picture = decoder.shown()
                known = picture.is_known
                if not known.any():
                    print(f"{name}: no pictures were sent")
                    failures += 1
                    continue
                rms, top, left = difference(shown, picture)
                cell = picture.cell
                print(
                    f"{name}: difference {rms:.2f} of 255 in {known.sum()} pixels ({known.mean():.0%} of the window), "
                    f"cells of {cell[0]} x {cell[1]}, margin {left} x {top}"
                )
                failures += rms > LARGEST_DIFFERENCE
    finally:
        server.terminate()
        server.wait()
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
