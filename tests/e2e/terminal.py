#!/usr/bin/env python3
"""terminal.py COMMAND... -- LINE...: types lines at an interactive program on a terminal and prints its screen."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

split = sys.argv.index("--")
command, lines = sys.argv[1:split], sys.argv[split + 1:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    os.environ.update(TERM="xterm", HOME="/nonexistent")
    os.execvp(command[0], command)


def show(seconds):
    """Prints what comes until it is quiet for so long; false at the end."""
    while select.select([terminal], [], [], seconds)[0]:
        try:
            sys.stdout.write(os.read(terminal, 65536).decode(errors="replace"))
        except OSError:
            return False
    return True


deadline = time.monotonic() + 15
show(0.5)
for line in lines:
    os.write(terminal, line.encode() + b"\r")
    if not show(0.3) or time.monotonic() > deadline:
        break
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0)
