#!/usr/bin/env python3
"""Counts the instructions of single operations under callgrind and compares them with bench/instructions_baseline.json.

    scripts/check_instructions.py [--update]

Fails when an operation needs more than TOLERANCE of its instructions in addition. Counts of another compiler, instruction
set or BLAS say nothing about the baseline's: the check then skips itself and says so.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "bench" / "ltri_instructions"
BASELINE = ROOT / "bench" / "instructions_baseline.json"
TOLERANCE = 0.03


def say(text):
    print(f"check_instructions: {text}", flush=True)


def stop(text):
    say(text)
    sys.exit(1)


def count():
    """What the program says it was made with, and the instructions of each of its cases."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        # A bare environment, and a BLAS kernel of the instruction set that valgrind shows: nothing of this machine.
        # Without `rep` instructions in memset and memcpy, of which every byte would count.
        environment = {"PATH": os.environ.get("PATH", ""), "LTRI_BLAS_CORE": "Haswell",
                       "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-ERMS"}
        command = ["valgrind", "--tool=callgrind", "--quiet", "--instr-atstart=no", "--combine-dumps=yes",
                   f"--callgrind-out-file={profile}", str(PROGRAM)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
        except FileNotFoundError:
            stop("valgrind is not installed; 'make check-instructions' does that on Debian and Ubuntu")
        if done.returncode != 0:
            stop(f"{' '.join(command)} returned {done.returncode}\n{done.stdout}{done.stderr}")
        dumps = re.findall(r"^desc: Trigger: Client Request: (\w+)$.*?^totals: (\d+)$", profile.read_text(),
                           re.MULTILINE | re.DOTALL)
    made_with = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    return made_with, {name: int(instructions) for name, instructions in dumps}


def compare(old, new):
    """Prints what differs; the number of failures."""
    failures = 0
    better = 0
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            say(f"{name} is only in {'the baseline' if name in old else 'the program'}; --update brings them together")
            failures += 1
            continue
        change = new[name] / old[name] - 1
        line = f"{name}: {old[name]:,} instructions, now {new[name]:,} ({change:+.1%})"
        if change > TOLERANCE:
            say(f"FAILED {line}")
            failures += 1
        elif change < -TOLERANCE:
            say(f"better: {line}")
            better += 1
    if failures:
        say(f"{failures} of {len(new)} failed; if that is the price of something, run "
            "'scripts/check_instructions.py --update' and let the commit say of what")
    else:
        say(f"{len(new)} operations, none more than {TOLERANCE:.0%} above the baseline")
    if better:
        say(f"{better} of {len(new)} got better: commit 'scripts/check_instructions.py --update' too, to keep it so")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the baseline instead of comparing with it")
    options = parser.parse_args()
    if not PROGRAM.exists():
        stop(f"{PROGRAM.relative_to(ROOT)} is not built; run 'make check-instructions'")

    if not options.update and not BASELINE.exists():
        stop(f"{BASELINE.relative_to(ROOT)} is missing; --update writes it")
    made_with, instructions = count()
    if options.update:
        BASELINE.write_text(json.dumps({"made_with": made_with, "instructions": instructions}, indent=2) + "\n")
        say(f"wrote {BASELINE.relative_to(ROOT)}: {len(instructions)} operations")
        return 0
    baseline = json.loads(BASELINE.read_text())
    if made_with != baseline["made_with"]:
        for key in sorted(made_with.keys() | baseline["made_with"].keys()):
            there, here = baseline["made_with"].get(key), made_with.get(key)
            if there != here:
                say(f"{key}: the baseline's is '{there}', here it is '{here}'")
        say("nothing was compared, the baseline was made with something else (Skipped)")
        return 0
    return 1 if compare(baseline["instructions"], instructions) else 0


if __name__ == "__main__":
    sys.exit(main())
