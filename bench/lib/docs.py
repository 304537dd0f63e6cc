"""Puts tables into docs/performance.md, between a pair of markers each, and pictures beside it."""
import os
import re
import shutil

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs")
PAGE = os.path.join(ROOT, "performance.md")


def put(name, text):
    """<!-- begin: NAME --> and <!-- end: NAME --> stay, what is between them becomes `text`."""
    with open(PAGE) as f:
        page = f.read()
    page, n = re.subn(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", lambda m: f"{m[1]}{text}{m[2]}", page,
                      flags=re.S)
    if n != 1:
        raise SystemExit(f"{PAGE}: no place called {name}")
    with open(PAGE, "w") as f:
        f.write(page)


def put_file(path, text=None):
    """A copy of the file, or one of its name with this text, in docs/performance/."""
    to = os.path.join(ROOT, "performance", os.path.basename(path))
    if text is None:
        shutil.copyfile(path, to)
        return
    with open(to, "w") as f:
        f.write(text)
