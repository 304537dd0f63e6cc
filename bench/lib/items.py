"""The work items of bench/compare: what is asked of the subjects, and the goals that each must reach."""
from dataclasses import dataclass, field


@dataclass
class Goal:
    """The `measure` of `ours` over the subject's: at most or at least `limit`."""
    limit: float
    subject: str
    measure: str = "cpu_us"
    least: bool = False  # the ratio must be at least the limit
    ours: str = "flashkv"


def named(goals):
    """The subjects that they compare."""
    return {name for g in goals for name in (g.ours, g.subject)}


@dataclass
class Item:
    name: str
    protocol: str
    subjects: list
    reads: int = 100
    value: int = 64
    pipeline: int = 1
    connections: int = 50
    keys: int = 1000
    key: int = 16
    order: str = "uniform"
    rate: int = 0  # requests a second; 0: as many as are answered
    goals: list = field(default_factory=list)
    beside: str = None  # a second protocol, at the same rate, at the same time

    def judged(self):
        return named(self.goals)


MEGABYTE = 1 << 20
RESP = ["flashkv", "redis", "floor epoll"]
RESP_ALL = RESP + ["redis io-threads", "memcached", "flashkv pgo"]
HTTP = ["flashkv", "floor mhd", "nginx fixed", "webdis + redis", "floor epoll", "flashkv pgo"]

HTTP_MANY = ["flashkv", "nginx fixed", "floor epoll"]


def resp(name, **more):
    return Item(name, "resp", more.pop("subjects", RESP), **more)


def http(name, **more):
    return Item(name, "http", more.pop("subjects", HTTP), **more)


ITEMS = [
    # What the goals of issue 'Speed' name.
    resp("resp get p1", subjects=RESP_ALL, goals=[Goal(0.90, "redis"), Goal(1.12, "floor epoll")]),
    resp("resp set p1", subjects=RESP_ALL, reads=0, goals=[Goal(0.90, "redis"), Goal(1.12, "floor epoll")]),
    resp("resp get p16", subjects=RESP_ALL, pipeline=16, goals=[Goal(0.60, "redis")]),
    resp("resp set p16", subjects=RESP_ALL, pipeline=16, reads=0, goals=[Goal(0.60, "redis")]),
    resp("resp get p128", subjects=RESP_ALL, pipeline=128, goals=[Goal(0.45, "redis")]),
    resp("resp set p128", subjects=RESP_ALL, pipeline=128, reads=0, goals=[Goal(0.45, "redis")]),
    resp("resp set p16, logged each second", subjects=["flashkv", "flashkv logged", "redis logged"], pipeline=16, reads=0,
         goals=[Goal(0.85, "flashkv", measure="ops_per_second", least=True, ours="flashkv logged"),
                            Goal(0.70, "redis logged", ours="flashkv logged")]),
    http("http get", goals=[Goal(1.10, "floor mhd"), Goal(1.10, "nginx fixed"), Goal(0.50, "webdis + redis")]),
    http("http put", reads=0, subjects=["flashkv", "flashkv, GET", "webdis + redis"],
         goals=[Goal(1.25, "flashkv, GET")]),
    http("http get 1 MiB", value=MEGABYTE, keys=10, connections=10,
         subjects=["flashkv", "nginx file"], goals=[Goal(0.90, "nginx file", measure="ops_per_second", least=True)]),
    # One thing changed at a time.
    resp("resp get p1, 1 connection", connections=1),
    resp("resp get p1, 1000 connections", connections=1000),
    resp("resp get p1, 10000 connections", connections=10000),
    resp("resp get p16, 10000 connections", pipeline=16, connections=10000),
    resp("resp get p16, 1 M keys", pipeline=16, keys=1000000),
    resp("resp set p16, 1 M keys", pipeline=16, keys=1000000, reads=0),
    resp("resp get p16, 10 M keys", pipeline=16, keys=10000000, subjects=["flashkv", "redis"]),
    resp("resp 80/20 p16, 1 M keys, Zipf", pipeline=16, keys=1000000, reads=80, order="zipf",
         subjects=["flashkv", "redis"]),
    resp("resp get p16, 16 B", pipeline=16, value=16),
    resp("resp get p16, 1 KiB", pipeline=16, value=1024),
    resp("resp get p1, 64 KiB", value=65536, subjects=["flashkv", "redis"]),
    resp("resp get p1, 1 MiB", value=MEGABYTE, keys=10, connections=10, subjects=["flashkv", "redis"]),
    resp("resp set p1, 1 MiB", value=MEGABYTE, keys=10, connections=10, reads=0, subjects=["flashkv", "redis"]),
    http("http get, 1 connection", connections=1),
    # Without floor mhd: the library's own epoll thread forgets requests, see src/http/worker.h.
    http("http get, 1000 connections", connections=1000, subjects=HTTP_MANY),
    http("http get, 10000 connections", connections=10000, subjects=HTTP_MANY),
    http("http get, 1 M keys", keys=1000000, subjects=["flashkv", "webdis + redis"]),
    # From a file: nginx's fixed reply cannot be as long.
    http("http get, 16 KiB", value=16384, subjects=["flashkv", "nginx file"], keys=100),
    http("http get, 64 KiB", value=65536, subjects=["flashkv", "nginx file"], keys=100),
    http("both ports, 5000/s each", rate=5000, beside="resp", subjects=["flashkv", "webdis + redis"]),
]
