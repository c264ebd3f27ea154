"""Judges the program from outside: python3 run.py BINARY [part of a check's name ...]

Prints a line for every check, what failed, and `N passed, N failed`.
"""

import sys
import time
import unittest
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import checks_damage
import checks_files
import checks_misbehaviour
import checks_options
import checks_privacy
import checks_servers
import checks_secrets
import checks_serve
import checks_sync
import checks_trust
import checks_views
import checks_wire
from tool import Tool


# Those that take longest come first: two run at a time, and much of their time is waiting.
MODULES = (checks_serve, checks_misbehaviour, checks_options, checks_damage, checks_privacy, checks_sync, checks_views, checks_trust, checks_wire, checks_files,
           checks_servers, checks_secrets)


class Result(unittest.TestResult):
    """One line for every check, with the seconds it took."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.began = time.monotonic()

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.passed += 1
        self.say("ok", test)

    def addFailure(self, test, error):
        self.failures.append((test, self._exc_info_to_string(error, test)))
        self.say("FAILED", test)

    def addError(self, test, error):
        self.errors.append((test, self._exc_info_to_string(error, test)))
        self.say("ERROR", test)

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.addFailure(subtest, error)

    def addSkip(self, test, reason):
        self.skipped.append((test, reason))
        self.say("skipped", test, f": {reason}")

    def say(self, word, test, more=""):
        seconds = time.monotonic() - self.began
        name = str(test).split(" (")[0].removeprefix("test_").replace("_", " ")
        print(f"{word:8}{seconds:6.1f} s  {name}{more}", flush=True)



def run(name, patterns):
    """Run the checks of a module; how many passed, the failures with their traces, how many were skipped."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = patterns
    result = Result()
    loader.loadTestsFromModule(sys.modules[name]).run(result)
    return result.passed, [(str(test), trace) for test, trace in result.errors + result.failures], len(result.skipped)


def main(binary, *words):
    Tool.binary = Path(binary).resolve()
    if not Tool.binary.is_file():
        print(f"{binary} is not there: make build", file=sys.stderr)
        return 2
    patterns = [f"*{word.replace(' ', '_')}*" for word in words] or None
    with ProcessPoolExecutor(2, get_context("fork")) as processes:
        results = list(processes.map(run, [m.__name__ for m in MODULES], [patterns] * len(MODULES)))
    passed, failures, skipped = (sum(column, start) for column, start in zip(zip(*results), (0, [], 0)))
    for name, trace in failures:
        print(f"\n{name}\n{trace}")
    print(f"\n{passed} passed, {len(failures)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if passed and not failures else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
