"""Judges the program from outside: python3 run.py BINARY [part of a check's name ...]

Prints a line for every check, what failed, and `N passed, N failed`.
"""

import sys
import time
import unittest
from pathlib import Path

import checks_damage
import checks_files
import checks_misbehaviour
import checks_options
import checks_servers
import checks_secrets
import checks_serve
import checks_sync
import checks_trust
import checks_wire
from tool import Tool


MODULES = (checks_sync, checks_files, checks_servers, checks_options, checks_misbehaviour, checks_wire,
           checks_trust, checks_damage, checks_serve, checks_secrets)


class Result(unittest.TextTestResult):
    """One line for every check, with the seconds it took."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
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

    def getDescription(self, test):
        return str(test)


def main(binary, *words):
    Tool.binary = Path(binary).resolve()
    if not Tool.binary.is_file():
        print(f"{binary} is not there: make build", file=sys.stderr)
        return 2
    loader = unittest.TestLoader()
    if words:
        loader.testNamePatterns = [f"*{word.replace(' ', '_')}*" for word in words]
    suite = unittest.TestSuite(loader.loadTestsFromModule(m) for m in MODULES)
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0)
    result = runner.run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"\n{result.passed} passed, {failed} failed{skipped}")
    return 0 if failed == 0 and result.passed else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
