#!/usr/bin/env python3
"""README's examples, run as they stand, on the default ports, in a network of their own where that can be had."""
import fcntl
import re
import socket
import struct
import subprocess
import sys

from examples import DOCKER_SECTION, check, examples, run, sections, text
from fk import FLASHKV, same

CLONE_NEWNET = 0x40000000


def own_network():
    """Moves this process to a network of its own, with nothing but loopback; needs root."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        print("# no network namespace: using this machine's ports 8080 and 6379")
        return
    with socket.socket() as s:  # lo up: SIOCSIFFLAGS with IFF_UP | IFF_RUNNING
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


def all_examples():
    return [e for title, body in sections() if title != DOCKER_SECTION for e in examples(body)]


def check_commands():
    """README names the commands that there are, no more and no fewer."""
    table = re.search(r"<!-- commands -->(.*)<!-- /commands -->", text(), re.S)[1]
    named = sorted(re.findall(r"`([A-Z_]+)`", table))
    same(named, sorted(n for n in run("redis-cli --raw command list").upper().split() if "|" not in n))


own_network()
server = subprocess.Popen([FLASHKV], stderr=subprocess.PIPE)
failed = False
try:
    while b"ready:" not in (line := server.stderr.readline()):
        assert line, "the server does not start"
    found = all_examples()
    print(f"1..{len(found) + 1}")
    assert len(found) > 10, "README has lost its examples"
    for n, (command, want) in enumerate([*found, ("the list of commands", None)], 1):
        try:
            if want is None:
                check_commands()
            else:
                check(command, want)
            print(f"ok {n} - {command[:60]}")
        except Exception as e:
            failed = True
            print(f"not ok {n} - {command[:60]}")
            print("".join(f"# {line}\n" for line in str(e).splitlines()), end="")
finally:
    server.terminate()
    server.wait()
sys.exit(failed)
