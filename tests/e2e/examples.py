"""README's examples: console blocks, commands with what they print ("..." stands for anything).

    examples.py SECTION     runs those of one section, for docker/image-smoke.sh
"""
import os
import re
import subprocess
import sys
import time

from fk import PATIENCE

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
DOCKER_SECTION = "In a container"  # its commands need an engine


def text():
    with open(README, encoding="utf-8") as f:
        return f.read()


def sections():
    """(title, text) of each "## title"."""
    for part in re.split(r"^## ", text(), flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        yield title, body


def examples(body):
    """(command, the lines it should print) of every console block."""
    for block in re.findall(r"```console\n(.*?)```", body, re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output.strip()


def run(command, seconds=PATIENCE):
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}: exit status {done.returncode}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def check(command, want, seconds=PATIENCE):
    # redis-cli shows quotes and types on a terminal only; README shows what people see.
    got = run(command.replace("redis-cli ", "redis-cli --no-raw ", 1), seconds)
    pattern = ".*".join(re.escape(piece) for piece in want.split("..."))
    assert re.fullmatch(pattern, got.replace("\r", ""), re.S), f"{command}\n got: {got}\nwant: {want}"


def check_in_time(command, want):
    """A command that only looks is asked again, as people would, until a container is what it should be."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return check(command, want, 300)
        except AssertionError:
            if not command.startswith("docker inspect") or time.monotonic() > end:
                raise
            time.sleep(0.3)


def main(section):
    found = list(examples(dict(sections())[section]))
    assert found, f"README has no examples in {section}"
    for command, want in found:
        print(f"$ {command}", flush=True)
        check_in_time(command, want)


if __name__ == "__main__":
    main(sys.argv[1])
