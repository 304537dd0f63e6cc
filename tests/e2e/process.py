#!/usr/bin/env python3
"""The process: options from all their sources, exit statuses, signals, --check, limits."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile

from fk import FLASHKV, PATIENCE, Resp, Server, free_port, run, same


def flashkv(*options, env=None, **popen):
    """Runs it to its end: (exit status, stdout, stderr)."""
    done = subprocess.run([FLASHKV, *options], env={**os.environ, **(env or {})}, timeout=60,
                          capture_output=True, text=True, **popen)
    return done.returncode, done.stdout, done.stderr


def config_file(text):
    f = tempfile.NamedTemporaryFile("w", suffix=".json")
    f.write(text)
    f.flush()
    return f


def config_get(s, name):
    with s.client() as r:
        return r("CONFIG", "GET", name)[1].decode()


def help_and_version(s):
    """--help and --version print and exit 0"""
    status, out, err = flashkv("--help")
    same((status, err), (0, ""))
    assert re.search(r"--http-port=port +FLASHKV_HTTP_PORT +0 to 65535; default 8080", out), out
    same(flashkv("-h"), (0, out, ""))
    status, out, err = flashkv("--version")
    assert status == 0 and re.fullmatch(r"flashkv \d+\.\d+\.\d+\n", out), out


def output_that_cannot_be_written(s):
    """--help to a full device is a failure"""
    with open("/dev/full", "w") as full:
        same(subprocess.run([FLASHKV, "--help"], stdout=full).returncode, 2)


def bad_options(s):
    """a bad option exits 2, says where and what, and opens no port"""
    taken = f"--resp-port={s.resp}"  # had it been tried, the status would be 1
    for options, env, want in (
            (["--http-prt=1"], {}, "--http-prt: unknown option, did you mean --http-port?"),
            (["--http-port=http"], {}, '--http-port "http": expects 0 to 65535 (port)'),
            (["--http-port"], {}, "--http-port: expects a value"),
            (["8080"], {}, "argument 8080: unexpected, options begin with --"),
            ([], {"FLASHKV_MAX_ARGS": "many"},
             'environment FLASHKV_MAX_ARGS "many": expects 16 to 1073741824 (arguments)'),
            (["--config=/nowhere"], {},
             "config file /nowhere: unable to open /nowhere: No such file or directory")):
        same(flashkv(taken, *options, env=env), (2, "", f"flashkv: {want}\n"), options)
    with config_file('{"http-port": "x"}') as f:
        same(flashkv(taken, env={"FLASHKV_CONFIG": f.name}),
             (2, "", f'flashkv: config file {f.name}: http-port "x": expects 0 to 65535 (port)\n'))


def port_taken(s):
    """a taken port exits 1, names it and leaves the other server alone"""
    for options, port in ((["--http-port=0", f"--resp-port={s.resp}"], s.resp),
                          ([f"--http-port={s.http}", "--resp-port=0"], s.http)):
        status, out, err = flashkv(*options)
        same((status, out), (1, ""))
        assert f"error cannot listen on 127.0.0.1:{port}: Address already in use\n" in err, err
        assert "ready:" not in err, err
    same(flashkv("--check", f"--http-port={s.http}"), (0, "", ""))


def bad_address(s):
    """an address that is none of ours exits 1 and names it"""
    for bind in ("192.0.2.1", "no-such-host.invalid"):
        status, _, err = flashkv(f"--bind={bind}", "--http-port=0", "--resp-port=0", "--open")
        assert status == 1 and f"cannot listen on {bind}" in err, err


def precedence(s):
    """flag over environment over file over default"""
    with config_file('{"max-args": 111, "idle-timeout": 111, "http-timeout": "111"}') as f:
        env = {"FLASHKV_CONFIG": f.name, "FLASHKV_MAX_ARGS": "222", "FLASHKV_IDLE_TIMEOUT": "222"}
        with Server("--idle-timeout", "333", env=env) as t:
            same(config_get(t, "idle-timeout"), "333")
            same(config_get(t, "max-args"), "222")
            same(config_get(t, "http-timeout"), "111")
            same(config_get(t, "max-connections"), "10000")
            same(t.stop(), 0)


def injected_variables(s):
    """variables that Kubernetes injects are let pass, a misspelt one is warned of"""
    env = {"FLASHKV_SERVICE_HOST": "10.0.0.1", "FLASHKV_PORT": "tcp://10.0.0.1:80",
           "FLASHKV_MAX_ARGS": "tcp://10.0.0.1:80", "FLASHKV_HTP_TIMEOUT": "5"}
    with Server(env=env) as t:
        same(config_get(t, "max-args"), "1048576")
        same(re.findall(r"warn +environment (.*)", t.read_log()),
             ["FLASHKV_HTP_TIMEOUT: unknown option, ignored; did you mean FLASHKV_HTTP_TIMEOUT?"])
        same(t.stop(), 0)


def only_the_addresses_asked_for(s):
    """127.0.0.1 by default; several addresses share a port"""
    for port in (s.http, s.resp):
        with socket.socket() as c:
            assert c.connect_ex(("127.0.0.2", port)) != 0, "open on another address than 127.0.0.1"
    with Server("--bind=127.0.0.1,127.0.0.2") as t:
        for host in ("127.0.0.1", "127.0.0.2"):
            for port in (t.http, t.resp):
                socket.create_connection((host, port), timeout=PATIENCE).close()
        same(t.stop(), 0)


def answering(reply):
    """A listening socket whose first client gets `reply`, or silence; and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    if reply is not None and os.fork() == 0:
        client, _ = listener.accept()
        client.recv(1000)
        client.sendall(reply)
        os._exit(0)
    return listener, listener.getsockname()[1]


def check(s):
    """--check exits 0 when ready, else 1 with one line that says why"""
    same(flashkv("--check", f"--http-port={s.http}"), (0, "", ""))
    same(flashkv("--check", env={"FLASHKV_HTTP_PORT": str(s.http), "FLASHKV_BIND": "0.0.0.0,::1"}), (0, "", ""))
    port = free_port()
    same(flashkv("--check", f"--http-port={port}"),
         (1, "", f"flashkv: not ready: 127.0.0.1 port {port}: Connection refused\n"))
    same(flashkv("--check", "--http-port=x")[0], 2)
    for reply, why in ((b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + b" " * 64, "HTTP status 503"),
                       (b"", "no HTTP answer"), (b"SSH-2.0-OpenSSH\r\n", "no HTTP answer"),
                       (None, "no HTTP answer")):
        listener, port = answering(reply)
        same(flashkv("--check", f"--http-port={port}"),
             (1, "", f"flashkv: not ready: 127.0.0.1 port {port}: {why}\n"))
        listener.close()
    status, _, err = flashkv("--check", "--bind=no-such-host.invalid")
    assert status == 1 and err.startswith("flashkv: not ready: no-such-host.invalid port 8080: "), err


def signals(s):
    """SIGTERM and SIGINT exit 0 and say so"""
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Server() as t:
            with t.client() as r:  # an idle connection does not hold it up
                same(r("PING"), "PONG")
                same(t.stop(sig), 0)
            lines = [line.split(None, 2)[2] for line in t.read_log().splitlines()]
            same(lines[-2:], [f"stopping: {sig.name}", "stopped"])


def in_flight(s):
    """what a signal finds in flight is answered"""
    for seconds in 2, 10, 60:  # more if this process is held up for so long
        with Server("--resp-threads=2") as t, t.client() as r, t.client() as other:
            r.send(Resp.encode(["DEBUG", "SLEEP", seconds]) + Resp.encode(["SET", "k", "v"]))
            while b"cmd=debug" not in (clients := other("CLIENT", "LIST")) and b"cmd=set" not in clients:
                pass
            t.process.send_signal(signal.SIGTERM)
            same((r.read(), r.read()), ("OK", "OK"))
            same(t.process.wait(timeout=PATIENCE), 0)
        if b"cmd=debug" in clients:
            return
    raise AssertionError("it was never seen in flight")


def second_signal(s):
    """a second signal ends it at once"""
    with Server("--resp-threads=1") as t, t.client() as r:
        same(r("PING"), "PONG")  # it is not in the listening socket's queue any more, so that it is heard to its end
        r.send(Resp.encode(["DEBUG", "SLEEP", "30"]))
        t.process.send_signal(signal.SIGTERM)
        t.wait_for_log("stopping: SIGTERM")
        same(t.stop(signal.SIGINT), 128 + signal.SIGINT)


def log_formats(s):
    """JSON log lines are JSON; the level is kept"""
    with Server("--log-format=json", env={"FLASHKV_NO_SUCH": "1"}) as t:
        same(t.stop(), 0)
        lines = [json.loads(line) for line in t.read_log().splitlines()]
        assert {"warn", "info"} == {line["level"] for line in lines}, lines
        assert lines[-1]["message"] == "stopped", lines
    quiet = subprocess.Popen([FLASHKV, "--log-level=error", f"--http-port={free_port()}", "--resp-port=0"],
                             stderr=subprocess.PIPE)
    while flashkv("--check", quiet.args[2])[0] != 0:
        same(quiet.poll(), None)
    quiet.terminate()
    same((quiet.communicate(timeout=PATIENCE)[1], quiet.returncode), (b"", 0))


def descriptor_limit(s):
    """the soft limit of descriptors is raised to what the options need; a low hard limit is warned of"""
    def limited(soft, hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        with Server("--max-connections=100") as t:
            limits = open(f"/proc/{t.process.pid}/limits").read()
            log = t.read_log()
            same(t.stop(), 0)
        return int(re.search(r"Max open files +(\d+)", limits)[1]), "file descriptors" in log

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    raised, warned = limited(150, before[1])
    assert raised >= 200 and not warned, (raised, warned)
    child = os.fork()  # a hard limit cannot be raised again
    if child == 0:
        os._exit(0 if limited(150, 150) == (150, True) else 1)
    same(os.waitpid(child, 0)[1], 0, "with a hard limit of 150")
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def clients_that_fit(s):
    """CONFIG SET maxclients raises the soft limit of descriptors, and is refused what the hard one does not let be"""
    child = os.fork()  # a hard limit cannot be raised again
    if child == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (270, 300))
        with Server("--max-connections=100") as t, t.client() as c:
            same(c("CONFIG", "SET", "maxclients", "118"), "OK")
            assert re.search(r"Max open files +300 ", open(f"/proc/{t.process.pid}/limits").read())
            same(c.error("CONFIG", "SET", "maxclients", "119"), "ERR CONFIG SET failed (possibly related to argument "
                 "'maxclients') - The operating system is not able to handle the specified number of clients, try with 118")
            same(config_get(t, "maxclients"), "118")
            same(c("CONFIG", "SET", "maxclients", "5"), "OK")
            same(t.stop(), 0)
        os._exit(0)
    same(os.waitpid(child, 0)[1], 0, "with a hard limit of 300")


def longest_text(s):
    """CONFIG SET takes texts of 4095 bytes, and says of longer ones that they are too long"""
    with s.client() as c:
        same(c("CONFIG", "SET", "masterauth", "x" * 4095), "OK")
        for length in (4096, 4097):
            error = c.error("CONFIG", "SET", "masterauth", "x" * length)
            assert error.endswith("'masterauth') - argument is too long"), error
        same(c("CONFIG", "GET", "masterauth"), [b"masterauth", b"x" * 4095])


def run_id(s):
    """each start has a run id of its own"""
    ids = set()
    with Server() as t:
        for server in (s, t):
            with server.client() as r:
                ids.add(re.search(rb"run_id:([0-9a-f]{40})\r\n", r("INFO", "server"))[1])
        same(t.stop(), 0)
    same(len(ids), 2)


run([help_and_version, output_that_cannot_be_written, bad_options, port_taken, bad_address, precedence,
     injected_variables, only_the_addresses_asked_for, check, signals, in_flight, second_signal, log_formats,
     descriptor_limit, clients_that_fit, longest_text, run_id])
