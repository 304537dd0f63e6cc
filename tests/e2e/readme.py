#!/usr/bin/env python3
"""README's examples, run as they stand, on the default ports, in a network of their own where that can be had."""
import fcntl
import os
import re
import socket
import struct
import subprocess
import sys

from fk import FLASHKV, same

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
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


def examples():
    """(command, the lines it should print) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", open(README, encoding="utf-8").read(), re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip()


def run(command):
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
    same(done.returncode, 0, f"{command}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


def check(command, want):
    # redis-cli shows quotes and types on a terminal only; README shows what people see.
    got = run(command.replace("redis-cli ", "redis-cli --no-raw ", 1))
    pattern = ".*".join(re.escape(piece) for piece in want.split("..."))
    assert re.fullmatch(pattern, got.replace("\r", ""), re.S), f"{command}\n got: {got}\nwant: {want}"


def check_commands():
    """README names the commands that there are, no more and no fewer."""
    text = re.search(r"<!-- commands -->(.*)<!-- /commands -->", open(README, encoding="utf-8").read(), re.S)[1]
    named = sorted(re.findall(r"`([A-Z_]+)`", text))
    same(named, sorted(n for n in run("redis-cli --raw command list").upper().split() if "|" not in n))


own_network()
server = subprocess.Popen([FLASHKV], stderr=subprocess.PIPE)
failed = False
try:
    while b"ready:" not in (line := server.stderr.readline()):
        assert line, "the server does not start"
    found = list(examples())
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
