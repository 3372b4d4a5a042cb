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
tidy() { scripts/tidy.py; }

tidy_changed() { scripts/tidy.py --since HEAD~1 --at-most 12; }

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
