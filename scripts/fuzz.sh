#!/usr/bin/env bash
# Runs every fuzz target in build/fuzz for some seconds, one after another. A finding fails the run, and its input is
# left in build/fuzz/findings.
#
#   scripts/fuzz.sh SECONDS
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?usage: scripts/fuzz.sh SECONDS}
passed=0
failed=0
for source in tests/fuzz/*_fuzz.cc; do
  name=$(basename "$source" .cc)
  target=build/fuzz/fuzz_targets/$name
  if [[ ! -x $target ]]; then
    echo "fuzz: $target is not built; run 'make fuzz'" >&2
    exit 1
  fi
  corpus=build/fuzz/corpus/$name
  findings=build/fuzz/findings/$name
  mkdir -p "$corpus" "$findings"
  seeds=()
  [[ ! -d tests/fuzz/corpus/$name ]] || seeds=("tests/fuzz/corpus/$name")
  echo "fuzz: $name for $seconds s"
  log=build/fuzz/findings/$name.log
  # The time limit outside is for a target that hangs before its first input.
  if timeout "$((seconds + 120))" "$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$findings/" "$corpus" "${seeds[@]}" >"$log" 2>&1; then
    echo "fuzz: $name: nothing found in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
    passed=$((passed + 1))
  else
    tail -n 60 "$log"
    echo "fuzz: $name: FAILED; the input is in $findings, the whole log in $log" >&2
    failed=$((failed + 1))
  fi
done
echo "fuzz: $passed passed, $failed failed"
((failed == 0))
