"""Runs the program of an image as an engine would that is told to be strict.

usage: contain.py ROOT CONFIG DATA [--no-data] [ARGUMENT ...]

ROOT is the unpacked image, CONFIG its configuration (buildah inspect), DATA the
folder that becomes the volume. The root file system is read-only, there is a
network of nothing but loopback, no privilege can be gained, and user, folder,
variables, entry point and command are the image's. What every engine adds (/proc,
some devices) is there. With `serve` as the arguments it also runs the health check,
and stops the program. Needs root, and nothing in ROOT.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount(source, target, kind=None, flags=0):
    must(libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, None), "mount " + target)


def isolate(root, data, volume):
    must(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount(root, root, None, MS_BIND)
    mount("proc", root + "/proc", "proc", MS_NOSUID)
    for device in ("null", "zero", "random", "urandom"):
        os.makedirs(root + "/dev", exist_ok=True)
        with open(f"{root}/dev/{device}", "ab"):
            mount(f"/dev/{device}", f"{root}/dev/{device}", None, MS_BIND)
    if volume:
        mount(data, root + volume, None, MS_BIND)
    mount("none", root, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    with socket.socket() as loopback:  # up
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


class Image:
    def __init__(self, root, path):
        with open(path, encoding="utf-8") as file:
            self.config = json.load(file)["Docker"]["config"]
        self.root = root

    def start(self, command, extra, **options):
        """Starts a command as the image's user, with the image's and extra variables."""
        user, group = (int(part) for part in self.config["User"].split(":"))

        def become():
            os.chroot(self.root)
            os.chdir(self.config["WorkingDir"])
            for capability in range(64):
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")

        variables = dict(pair.split("=", 1) for pair in self.config["Env"])
        return subprocess.Popen(command, preexec_fn=become, env=variables | extra, **options)

    def run(self, arguments, extra):
        process = self.start(self.config["Entrypoint"] + (arguments or self.config["Cmd"]), extra)
        return process.wait()


def check(ok, what):
    if not ok:
        sys.exit("contain: " + what)


def serve(image):
    """Without a password it must refuse, with one be healthy and stop cleanly."""
    extra = {"FLASHBACK_SYNC_STREAMS": "alerts", "FLASHBACK_TOKEN": "t", "FLASHBACK_SYNC_SCHEDULE_SYNC": "0 3 1 1 *"}
    check(image.run([], extra) == 2, "serve listens to everybody without a password")
    probe = image.config["Healthcheck"]["Test"]
    check(probe[0] == "CMD", "the health check needs a shell")
    extra["FLASHBACK_PAGE_PASSWORD"] = "a-password-for-this-check"
    check(image.start(probe[1:], extra).wait() != 0, "the health check is content with nothing")
    process = image.start(image.config["Entrypoint"] + image.config["Cmd"], extra)
    deadline = time.monotonic() + 30
    while image.start(probe[1:], extra, stderr=subprocess.DEVNULL).wait() != 0:
        check(process.poll() is None and time.monotonic() < deadline, "serve is not healthy within 30 s")
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    check(process.wait(40) == 143, f"serve stops with {process.returncode}, not 143")


def main(root, config, data, *arguments):
    image = Image(root, config)
    volume = None if arguments[:1] == ("--no-data",) else image.config["WorkingDir"]
    arguments = [a for a in arguments if a != "--no-data"]
    isolate(root, data, volume)
    if arguments == ["serve"]:
        serve(image)
        return 0
    return image.run(arguments, {})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
