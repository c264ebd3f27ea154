"""Eight organisations push at once into one catalog, and some of them are killed at any moment."""

import os
import random
import subprocess
import threading
import time

WRITERS = 8
DAYS = 6


def push(program, catalog, lake, org, *more):
    """The finished push."""
    return subprocess.run(command(program, lake, org, *more), env={**os.environ, **catalog.environment}, capture_output=True, text=True)


def command(program, lake, org, *more):
    return [program, "push", "--lake", lake.folder, "--org", org, *more]


class Writer(threading.Thread):
    """Publishes its lake again and again, and pushes it, until the time is over; then once more, in peace."""

    def __init__(self, program, catalog, lake, org, seed, until):
        super().__init__(name=org)
        self.program, self.catalog, self.lake, self.org, self.until = program, catalog, lake, org, until
        self.random = random.Random(seed)
        self.killed = self.finished = 0
        self.error = None

    def run(self):
        try:
            longest = 2.0
            while time.monotonic() < self.until:
                self.change()
                longest = self.attempt(longest)
            last = push(self.program, self.catalog, self.lake, self.org)
            if last.returncode != 0:
                self.error = last.stderr
        except Exception as error:  # noqa: BLE001: shown by the main thread
            self.error = repr(error)

    def change(self):
        for file in self.random.sample(self.lake.files("alerts"), 2):
            self.lake.keep(file, self.random.randint(file["rows"] // 2, file["rows"]))
        self.lake.publish()

    def attempt(self, longest):
        """Push, and kill every other push at some moment; how long a push takes that is not killed."""
        began = time.monotonic()
        process = subprocess.Popen(command(self.program, self.lake, self.org), env={**os.environ, **self.catalog.environment},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            _, said = process.communicate(timeout=self.random.uniform(0, longest) if self.random.random() < 0.5 else None)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.killed += 1
            return longest
        if process.returncode != 0:
            raise RuntimeError(f"push ended with {process.returncode}: {said}")
        self.finished += 1
        return time.monotonic() - began


def compete(program, catalog, lakes, seconds):
    """Let all of them write; the writers, finished."""
    until = time.monotonic() + seconds
    writers = [Writer(program, catalog, lake, org, seed, until) for seed, (org, lake) in enumerate(sorted(lakes.items()))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return writers
