"""The servers that are measured: how each is started and what it speaks.

A subject is a table entry: a function from a Place (directory, free ports, the work item) to the processes to run. All
of a subject's processes are pinned to the server's core and their CPU time is added up.
"""
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field

SERVER_CORES = {0}
# With cores enough, a server of two threads gets two, and so do the clients.
MANY_CORES = os.cpu_count() >= 4
CLIENT_CORES = {2, 3} if MANY_CORES else {1}
# The threads of redis-server's io-threads spin while they wait for each other: on one core that would measure the spinning.
SPREAD = {"redis io-threads": {0, 1}, "flashkv 2 threads": {0, 1} if MANY_CORES else {0}}
CONNECTIONS_MAX = "16000"
LAST_WORDS = 200
VALUE_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def repeat(text, size):
    return (text * (size // len(text) + 1))[:size]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@dataclass
class Place:
    """Where a subject runs: its own directory, and ports by protocol."""
    directory: str
    programs: str  # where the built programs of this tree are
    item: object
    ports: dict = field(default_factory=dict)

    def port(self, protocol):
        return self.ports.setdefault(protocol, free_port())

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", newline="") as f:
            f.write(text)
        return path


# ---- servers -------------------------------------------------------------------------------------------------


def flashkv(p, threads=1):
    return [[os.environ.get("FLASHKV", f"{p.programs}/flashkv"), f"--http-port={p.port('http')}",
             f"--resp-port={p.port('resp')}", f"--http-threads={threads}", f"--resp-threads={threads}", "--log-level=error",
             f"--max-connections={CONNECTIONS_MAX}"]]


def flashkv_2_threads(p):
    return flashkv(p, 2)


def flashkv_logged(p):
    return [[*flashkv(p)[0], f"--data-dir={p.directory}/data", "--fsync=everysec", "--snapshot-log-bytes=0"]]


def redis(p, *options):
    return [["redis-server", "--port", str(p.port("resp")), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--maxclients", CONNECTIONS_MAX, "--logfile", "/dev/null", *options]]


def redis_io_threads(p):
    return redis(p, "--io-threads", "2", "--io-threads-do-reads", "yes")


def redis_logged(p):
    return redis(p, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")


def memcached(p):
    return [["memcached", "-p", str(p.port("memcached")), "-U", "0", "-l", "127.0.0.1", "-t", "1", "-m", "8192", "-c",
             CONNECTIONS_MAX, "-I", "4m", "-u", "nobody"]]


def webdis(p):
    config = p.write("webdis.json", '{"redis_host": "127.0.0.1", "redis_port": %d, "http_host": "127.0.0.1", '
                     '"http_port": %d, "threads": 1, "pool_size": 4, "daemonize": false, "verbosity": 0, '
                     '"http_max_request_size": 2097152, "logfile": "/dev/null"}' % (p.port("resp"), p.port("http")))
    return redis(p) + [["webdis", config]]


def nginx(p, location):
    config = p.write("nginx.conf", """
daemon off; master_process off; pid nginx.pid; error_log /dev/null; worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http {
    access_log off; sendfile on; keepalive_requests 1000000000; default_type text/plain;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
    server { listen 127.0.0.1:%d; location / { %s } }
}
""" % (p.port("http"), location))
    return [["nginx", "-p", p.directory, "-c", config, "-e", "stderr"]]


def nginx_fixed(p):
    """A value of at most 4094 bytes: a word of its configuration cannot be longer."""
    return nginx(p, f'return 200 "{repeat(VALUE_ALPHABET, p.item.value)}";')


def nginx_file(p):
    """As many files as there are keys."""
    os.mkdir(os.path.join(p.directory, "keys"))
    for i in range(p.item.keys):
        p.write(f"keys/{i:0{p.item.key}x}", repeat(VALUE_ALPHABET, p.item.value))
    return nginx(p, f"root {p.directory};")


def floor_mhd(p):
    return [[f"{p.programs}/bench/floor/floor_mhd", str(p.port("http"))]]


def floor_epoll(p):
    """Its replies are canned: as long as the real ones, one for each request's worth of bytes."""
    value = repeat(VALUE_ALPHABET, p.item.value)
    key = "0" * p.item.key
    protocol = p.item.protocol
    get, put = p.item.reads == 100, p.item.reads == 0
    assert get or put, "the floor counts bytes: all requests must be of one size"
    if protocol == "resp":
        request = f"*{2 if get else 3}\r\n$3\r\nGET\r\n${p.item.key}\r\n{key}\r\n"
        request += "" if get else f"${p.item.value}\r\n{value}\r\n"
        reply = f"${p.item.value}\r\n{value}\r\n" if get else "+OK\r\n"
    else:
        request = f"GET /keys/{key} HTTP/1.1\r\nHost: bench\r\n\r\n"
        reply = f"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: {p.item.value}\r\n\r\n{value}"
    return [[f"{p.programs}/bench/floor/floor_epoll", str(p.port(protocol)), str(len(request)),
             p.write("reply", reply)]]


def flashkv_pgo(p):
    return [[pgo_program(), *flashkv(p)[0][1:]]]


def pgo_program():
    """What ./dev pgo built."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".build", "pgo", "flashkv")


# name: (processes, HTTP targets for GET and SET)
REST = ("/keys/%k", "/keys/%k")
TABLE = {
    "flashkv": (flashkv, REST),
    "flashkv, GET": (flashkv, REST),
    "flashkv pgo": (flashkv_pgo, REST),
    "flashkv 2 threads": (flashkv_2_threads, REST),
    "flashkv logged": (flashkv_logged, REST),
    "redis": (redis, None),
    "redis io-threads": (redis_io_threads, None),
    "redis logged": (redis_logged, None),
    "memcached": (memcached, None),
    "webdis + redis": (webdis, ("/GET/%k.txt", "/SET/%k")),
    "nginx fixed": (nginx_fixed, REST),
    "nginx file": (nginx_file, REST),
    "floor mhd": (floor_mhd, REST),
    "floor epoll": (floor_epoll, REST),
}

# The percentage of reads, of a subject that is asked for something else than the item says.
READS = {"flashkv, GET": 100}


@dataclass
class Thread:
    pid: int
    tid: int
    name: str

    @staticmethod
    def all(pid):
        found = []
        for tid in sorted(map(int, os.listdir(f"/proc/{pid}/task"))):
            with open(f"/proc/{pid}/task/{tid}/comm") as f:
                found.append(Thread(pid, tid, f.read().strip()))
        return found

    def cpu_seconds(self):
        """For how long it ran: the first figure of schedstat, in ns."""
        with open(f"/proc/{self.pid}/task/{self.tid}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9


class Subject:
    """A running subject. stop() ends what start() began, whatever happened in between."""

    def __init__(self, name, directory, programs, item, cores=None):
        self.name = name
        self.cores = cores or SPREAD.get(name, SERVER_CORES)
        self.place = Place(directory, programs, item)
        processes, self.targets = TABLE[name]
        self.argvs = processes(self.place)
        self.stderr = os.path.join(directory, "stderr")
        self.processes = []

    def start(self):
        for argv in self.argvs:
            with open(self.stderr, "a") as stderr:
                self.processes.append(subprocess.Popen(
                    argv, cwd=self.place.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                    preexec_fn=lambda: os.sched_setaffinity(0, self.cores)))
            if argv[0] == "redis-server":
                self.wait_for(self.place.ports["resp"])
        for port in self.place.ports.values():
            self.wait_for(port)

    def wait_for(self, port):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if any(p.poll() is not None for p in self.processes):
                raise RuntimeError(f"{self.name} ended at once: {self.last_words()}")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} does not listen on {port}")

    def last_words(self):
        """The end of what its processes said."""
        with open(self.stderr, errors="replace") as f:
            lines = f.read().split("\n")
        return next((line[-LAST_WORDS:] for line in reversed(lines) if line), "without a word")

    def stop(self):
        for p in reversed(self.processes):
            p.terminate()
        for p in self.processes:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        self.processes = []

    def cpu_seconds(self):
        """User + system time of all threads: the kernel's CPU clock of a process, see clock_getcpuclockid(3)."""
        return sum(time.clock_gettime((~p.pid << 3) | 2) for p in self.processes)

    def threads(self, protocol):
        """Those of FlashKV that serve it, in the order in which they began."""
        return [t for p in self.processes for t in Thread.all(p.pid) if t.name.startswith(protocol)]


def missing(name):
    """Why the subject cannot be measured here, or None."""
    needs = {"flashkv pgo": pgo_program(), "redis": "redis-server", "redis io-threads": "redis-server",
             "redis logged": "redis-server", "webdis + redis": "webdis", "memcached": "memcached", "nginx fixed": "nginx", "nginx file": "nginx"}
    program = needs.get(name)
    return None if program is None or shutil.which(program) else f"{program} is not there"
