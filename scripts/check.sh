#!/usr/bin/env bash
# Checks the sources. Steps: format (clang-format), house (tests/house), tidy (clang-tidy over every source),
# tidy-changed (clang-tidy over the sources that differ from the commit before, at most 12).
#
#   scripts/check.sh [--fix] STEP...
# shellcheck disable=SC2317  # the steps are called by name
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The files of this checkout that match, without those that were removed but not committed.
sources() {
  git ls-files --cached --others --exclude-standard -- "$@" | while read -r name; do
    [[ ! -f $name ]] || echo "$name"
  done
}

format() {
  local files
  mapfile -t files < <(sources '*.h' '*.cc')
  if [[ -n $fix ]]; then
    clang-format -i "${files[@]}"
    echo "format: ${#files[@]} files put into format"
  elif clang-format --dry-run -Werror "${files[@]}"; then
    echo "format: ${#files[@]} files as they should be"
  else
    echo "format: not as .clang-format has it; 'make format' puts it right" >&2
    return 1
  fi
}

house() { python3 -B tests/house/house_test.py; }

# A header is checked through the sources that include it.
run_tidy() {
  if (($# == 0)); then
    echo "tidy: nothing to look at"
    return 0
  fi
  echo "tidy: $# files"
  printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p build/release 2> >(grep -v -E 'warnings? (generated|treated)' >&2)
}

# Only what the release build compiles can be checked: clang-tidy takes each file's flags from there.
compiled() {
  python3 -c 'import json, os, sys
here = os.getcwd() + "/"
for entry in json.load(open("build/release/compile_commands.json")):
    if entry["file"].startswith(here): print(entry["file"][len(here):])' | sort -u
}

tidy() {
  local files
  mapfile -t files < <(compiled)
  run_tidy "${files[@]}"
}

tidy_changed() {
  local files
  mapfile -t files < <(comm -12 <(compiled) <(git diff --name-only HEAD~1 -- '*.cc' 2>/dev/null | sort -u) | head -n 12)
  run_tidy "${files[@]}"
}

fix=
steps=()
for argument in "$@"; do
  case $argument in
    --fix) fix=yes ;;
    format | house | tidy) steps+=("$argument") ;;
    tidy-changed) steps+=(tidy_changed) ;;
    *) echo "check: unknown step '$argument'; the steps are format, house, tidy and tidy-changed" >&2; exit 2 ;;
  esac
done

failed=0
for step in "${steps[@]}"; do
  "$step" || failed=1
done
exit "$failed"
