"""What `verbose` shows of a training: lines, or on a terminal one line for all epochs, which is written over."""

import shutil
import sys
import time

#: Seconds between two states of the line on a terminal.
_PAUSE = 0.1


class Progress:
    """Prints how a training goes, to standard output.

    Parameters
    ----------
    verbose : bool or int
        Whether to print anything.
    one_line : bool, default=True
        Whether epochs share a line on a terminal.
    clock : callable, default=time.monotonic
        Seconds.
    """

    def __init__(self, verbose, *, one_line=True, clock=time.monotonic):
        self._verbose = bool(verbose)
        self._one_line = one_line and self._verbose and sys.stdout.isatty()
        self._clock = clock
        # When the first epoch began, the last ended and the line was written.
        self._begun = self._ended = self._shown = clock()
        self._epochs, self._name = 0, ""
        # What the line says at last, if it is yet to be ended.
        self._line = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end_line()

    def epoch(self, done, most, numbers, lines, name=""):
        """An epoch has ended.

        Parameters
        ----------
        done, most : int
            Epochs so far, and at most.
        numbers : dict of str to float
            What is known of it, for the line on a terminal.
        lines : list of str
            What to print elsewhere.
        name : str, default=""
            What is trained; the time begins anew where another name does. An epoch that is not beyond the last one is that of something
            beside it, and leaves the line on a terminal as it is.
        """
        if not self._verbose:
            return
        if not self._one_line:
            print(*lines, sep="\n", flush=True)
            return
        now = self._clock()
        if name != self._name:
            self._end_line()
            self._name, self._begun, self._epochs = name, self._ended, 0
        if done <= self._epochs:
            return
        self._epochs, self._ended = done, now
        self._line = _line(done, most, now - self._begun, numbers, name)
        if now - self._shown >= _PAUSE or done == 1:
            self._write()
            self._shown = now

    def say(self, text):
        """A line of its own."""
        if self._verbose:
            self._end_line()
            print(text, flush=True)

    def _end_line(self):
        if self._line is not None:
            self._write()
            print(flush=True)
            self._line = None

    def _write(self):
        width = shutil.get_terminal_size().columns - 1
        # Back to its begin, and without what is left of the line before.
        print(f"\r{self._line[:width]}\x1b[K", end="", flush=True)


def _line(done, most, seconds, numbers, name):
    rate = done / max(seconds, 1e-9)
    speed = f"{rate:.1f} epochs/s" if rate >= 1 else f"{1 / rate:.1f} s/epoch"
    time_left = _minutes((most - done) / rate)
    shown = ", ".join(f"{what} {number:.4g}" for what, number in numbers.items() if number is not None)
    return f"{name}epoch {done}/{most} [{_minutes(seconds)}<{time_left}, {speed}] {shown}"


def _minutes(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
