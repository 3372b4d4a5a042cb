#!/usr/bin/env python3
"""Runs clang-tidy over the sources of build/release. A source that passed is not looked at again until it, a header of
ours that it includes, or .clang-tidy changes.

    scripts/tidy.py [--since COMMIT] [--at-most N]
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
CACHE = BUILD / "tidy.json"


def sources():
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    ours = {Path(entry["file"]) for entry in entries}
    return sorted(path.relative_to(ROOT).as_posix() for path in ours if path.is_relative_to(ROOT))


def dependencies():
    """Our own files that each source was last built from, as ninja recorded them."""
    found, current = {}, []
    listed = subprocess.run(["ninja", "-C", str(BUILD), "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        if not line.startswith(" "):
            current = []
            continue
        path = Path(line.strip())
        if path.is_relative_to(ROOT):
            current.append(path)
            found.setdefault(current[0].relative_to(ROOT).as_posix(), current)
    return found


def fingerprint(name, depends):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for path in sorted({ROOT / name, *depends}):
        digest.update(path.read_bytes() if path.exists() else b"gone")
    return digest.hexdigest()


def changed_since(commit):
    listed = subprocess.run(["git", "-C", str(ROOT), "diff", "--name-only", commit], capture_output=True, text=True)
    return set(listed.stdout.split())


def check(name):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(BUILD), str(ROOT / name)], capture_output=True, text=True)
    return done.returncode == 0, done.stdout.replace(f"{ROOT}/", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--since", help="only sources that differ from this commit")
    parser.add_argument("--at-most", type=int, default=0, help="stop after so many sources")
    options = parser.parse_args()

    passed = json.loads(CACHE.read_text()) if CACHE.exists() else {}
    depends = dependencies()
    names = sources()
    if options.since:
        names = [name for name in names if name in changed_since(options.since)]
    prints = {name: fingerprint(name, depends.get(name, [])) for name in names}
    todo = [name for name in names if passed.get(name) != prints[name]]
    left_out = todo[options.at_most:] if options.at_most else []
    todo = todo[:options.at_most] if options.at_most else todo
    print(f"tidy: {len(todo)} to look at, {len(names) - len(todo) - len(left_out)} passed before and are unchanged, "
          f"{len(left_out)} left out", flush=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (good, output) in zip(todo, pool.map(check, todo)):
            if good:
                passed[name] = prints[name]
                CACHE.write_text(json.dumps(passed))
            else:
                failed += 1
                print(f"tidy: {name}\n{output}", flush=True)
    print(f"tidy: {len(todo) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
