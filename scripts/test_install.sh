#!/usr/bin/env bash
# Installs build/release into a scratch folder, builds examples/ against what is there through find_package(ltri), and
# checks that the examples run: without arguments they say how they are used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$PWD/build/install-test
rm -rf "$scratch"
cmake --install build/release --prefix "$scratch/prefix" >/dev/null
cmake -S examples -B "$scratch/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$scratch/prefix" >/dev/null
cmake --build "$scratch/build"

for example in ask ask_c library; do
  status=0
  "$scratch/build/$example" >"$scratch/usage" 2>&1 || status=$?
  if ((status != 2)) || ! grep -q '^usage:' "$scratch/usage"; then
    echo "test_install: $example without arguments ended with $status instead of 2 and a usage line:" >&2
    cat "$scratch/usage" >&2
    exit 1
  fi
done

# Nothing but the public API may be visible, or two copies of a library in one program would mix.
leaked=$(nm -D --defined-only -C "$scratch"/prefix/lib*/libltri.so "$scratch"/prefix/lib*/*/libltri.so 2>/dev/null |
  awk '$2 ~ /^[TDB]$/' | grep -v -E ' (ltri::|ltri_|typeinfo|vtable|VTT|guard variable)' || true)
if [[ -n $leaked ]]; then
  echo "test_install: libltri.so shows more than its API:" >&2
  head -n 20 <<<"$leaked" >&2
  exit 1
fi
echo "test_install: the installed library builds and runs its examples"
