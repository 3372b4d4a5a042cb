#!/usr/bin/env bash
# Builds the CUDA backend, runs its tests and its benchmarks on this machine's card, and writes what they say to
# build/gpu/ (or LTRI_GPU_OUT): tests.log, results.jsonl (a line a figure, as soon as it is known), results.json,
# results.md, sanitizer.log and errors.log. Every part has a time limit of its own, so that what fails or hangs costs nothing but
# itself; the most important come first. PROGRAMS names a folder with ltri and ltri_cuda_tests that were built elsewhere;
# then nothing is built. PARTS: which to run, without it all.
#
#   scripts/gpu.sh [PROGRAMS [PARTS...]]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
out=${LTRI_GPU_OUT:-build/gpu}
mkdir -p "$out"

if [[ -n ${1:-} ]]; then
  ltri=$1/ltri
  tests=$1/ltri_cuda_tests
  shift
else
  cmake --preset release -B build/cuda -DLTRI_CUDA=ON && cmake --build build/cuda --target ltri ltri_cuda_tests || exit 1
  ltri=build/cuda/ltri
  tests=build/cuda/tests/ltri_cuda_tests
fi
parts=" ${*:-} "
failed=0

wanted() { [[ $parts =~ ^\ *$ || $parts == *" $1 "* ]]; }

report() {
  echo "gpu: $1 took $((SECONDS - $2)) s, exit code $3" >&2
  [[ $3 -eq 0 ]] || failed=1
}

# part NAME SECONDS: options of `ltri bench --device cuda`.
measure() {
  local name=$1 limit=$2 begin=$SECONDS
  wanted "$name" || return 0
  timeout "$limit" "$ltri" bench --device cuda --shape llama3-8b --json "${@:3}" 2>> "$out/errors.log" |
    sed "s/^{/{\"part\":\"$name\",/" | tee -a "$out/results.jsonl"
  report "$name" "$begin" "${PIPESTATUS[0]}"
}

: > "$out/results.jsonl"
: > "$out/errors.log"

if wanted tests; then
  begin=$SECONDS
  timeout 110 "$tests" --gtest_brief=1 2>&1 | tee "$out/tests.log" | grep -v '^\[ *SKIPPED\|^ *$' | cut -c1-300 | tail -40
  report tests "$begin" "${PIPESTATUS[0]}"
fi

# Of ltri's heads those vote that copy, drawn like those of measured models; "all" is with all of them.
recall=(--methods ltri --budget 4096)
read_recall=("${recall[@]}" --window 2560 --block 2048 --sections prefill --runs 1)
decode=(--sections decode --runs 3)
# Behind each: how long it takes on an H200.
measure ltri-decode-128k 40 "${recall[@]}" "${decode[@]}" --decode 131072                     # 10 s
measure ltri-prefill-128k 40 "${read_recall[@]}" --prefill 131072                             # 10 s
measure ltri-decode-128k-all 40 "${recall[@]}" "${decode[@]}" --decode 131072 --copying-heads 0  # 10 s
measure ltri-prefill-128k-all 40 "${read_recall[@]}" --prefill 131072 --copying-heads 0       # 10 s
measure ltri-decode-q4 40 "${recall[@]}" "${decode[@]}" --decode 131072 --weights q4          # 10 s
measure dense-decode 40 --methods dense "${decode[@]}" --decode 4096,131072                   # 8 s
measure dense-prefill 60 --methods dense --sections prefill --block 4096 --runs 1 --prefill 32768,131072  # 20 s
measure batch-ltri 80 "${recall[@]}" "${decode[@]}" --decode 32768 --batch 16 --decode-tokens 32  # 15 s
measure batch-dense 60 --methods dense "${decode[@]}" --decode 32768 --batch 16 --decode-tokens 32  # 10 s
measure ltri-decode-1m 90 "${recall[@]}" "${decode[@]}" --decode 1048576 --decode-tokens 32   # 40 s
measure ltri-prefill-1m 150 "${read_recall[@]}" --prefill 1048576                             # 80 s
measure overtaking 40 --methods dense,streaming --sections prefill --block 2048 --runs 2 --prefill 8192,16384,24576  # 10 s
measure ltri-decode-512k 40 "${recall[@]}" "${decode[@]}" --decode 524288                     # 20 s
measure ltri-prefill-512k 50 "${read_recall[@]}" --prefill 524288                             # 25 s

if wanted sanitizer && command -v compute-sanitizer > /dev/null; then  # 40 s
  begin=$SECONDS
  timeout 90 compute-sanitizer --tool memcheck --error-exitcode 3 "$tests" --gtest_brief=1 \
    --gtest_filter='All/IndexTest*omeHeads:Counts/ChooseTest*Of900*:Counts/ChooseTest*Of70000*:PointwiseTest.ArgMax*:RecallTest.SeesWhat*:RecallTest.ChoosesBy*:Tiny/TogetherTest*:All/MethodsTest.FirstToken*:CardTest.TokensComeBack*:StateTest.ComesBack*:TiersTest.CopiesGoOn*' \
    > "$out/sanitizer.log" 2>&1
  report sanitizer "$begin" $?
  tail -n 5 "$out/sanitizer.log"
fi

python3 - "$out" <<'PYTHON'
import json
import sys

folder = sys.argv[1]
with open(f"{folder}/results.jsonl", encoding="utf-8") as lines:
    rows = [json.loads(line) for line in lines if line.endswith("}\n")]
with open(f"{folder}/results.json", "w", encoding="utf-8") as file:
    json.dump(rows, file, indent=1)
with open(f"{folder}/results.md", "w", encoding="utf-8") as file:
    print("| part | weights | what | method | tokens | ms | rate | of the limit |", file=file)
    print("|---|---|---|---|---|---|---|---|", file=file)
    for row in rows:
        limit = f"{100 * row['of_limit']:.1f} %" if row["of_limit"] else ""
        print(f"| {row['part']} | {row['weights']} | {row['what']} | {row['method']} | {row['tokens']} "
              f"| {1e3 * row['seconds']:.3f} | {row['rate']:.1f} {row['unit']} | {limit} |", file=file)
PYTHON
cat "$out/results.md"
tail -n 20 "$out/errors.log" >&2
echo "gpu: wrote results.json, results.md and logs to $out" >&2
exit "$failed"
