"""Says which system calls of a trace a systemd unit would refuse.

usage: syscalls.py UNIT TRACE   (TRACE: strace -f -s 0 -o TRACE ...)

It reads SystemCallFilter, MemoryDenyWriteExecute and RestrictAddressFamilies of
the unit, and what the filter's groups mean from systemd itself. systemd cannot be
started everywhere; this is what it would do.
"""

import re
import subprocess
import sys


def settings(path, key):
    with open(path, encoding="utf-8") as unit:
        return [line.strip().split("=", 1)[1] for line in unit if line.startswith(key + "=")]


def groups():
    """What each group of system calls consists of, as it is printed."""
    found, current = {}, None
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            current = found.setdefault(word, [])
        elif word and not word.startswith("#") and current is not None:
            current.append(word)
    return found


def expand(name, known):
    if not name.startswith("@"):
        return {name}
    return set().union(*(expand(member, known) for member in known[name]))


def allowed(unit):
    known, calls = groups(), set()
    for line in settings(unit, "SystemCallFilter"):
        members = set().union(*(expand(name, known) for name in line.lstrip("~").split()))
        calls = calls - members if line.startswith("~") else calls | members
    return calls


CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)")


def refused(unit, trace):
    calls, problems, seen = allowed(unit), set(), set()
    strict = settings(unit, "MemoryDenyWriteExecute") == ["yes"]
    families = " ".join(settings(unit, "RestrictAddressFamilies")).split()
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = CALL.match(line)
            if not match:
                continue
            name, rest = match.groups()
            seen.add(name)
            if name not in calls:
                problems.add(name)
            if strict and name == "mmap" and "PROT_WRITE" in rest and "PROT_EXEC" in rest:
                problems.add("mmap of memory to write and execute")
            if strict and name in ("mprotect", "pkey_mprotect") and "PROT_EXEC" in rest:
                problems.add("mprotect of memory to execute")
            if name == "socket" and rest.split(",")[0].startswith("AF_") and rest.split(",")[0] not in families:
                problems.add("socket of " + rest.split(",")[0])
    # A trace that is empty, or of something else, would approve of everything.
    for must in ("execve", "mmap", "openat", "socket", "futex", "fsync"):
        if must not in seen:
            problems.add("no " + must + " in the trace: it is of something else")
    return sorted(problems)


if __name__ == "__main__":
    found = refused(*sys.argv[1:])
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)
