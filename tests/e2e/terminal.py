"""An interactive program on a terminal of its own: type a line, wait for what the screen must show."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

SECONDS = 60


class Terminal:
    def __init__(self, *command):
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
            os.environ.update(TERM="xterm", HOME="/nonexistent")
            os.execvp(command[0], command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def wait_for(self, pattern):
        """Reads on until the screen shows it, carriage returns left out; what came until then is read."""
        until = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.screen, re.M)):
            left = until - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], f"no {pattern!r} in:\n{self.screen[-2000:]}"
            self.screen += os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
        self.screen = self.screen[found.end():]

    def type(self, line, *patterns):
        """Types a line; then the patterns must come, in this order."""
        os.write(self.fd, line.encode() + b"\r")
        for pattern in patterns:
            self.wait_for(pattern)
