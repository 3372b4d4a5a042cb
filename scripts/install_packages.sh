#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that ltri needs and that are missing. Says what it does; does nothing when
# all are there. On other systems it lists what is needed.
#
#   scripts/install_packages.sh [build] [check] [fuzz] [instructions] [serve]     (no argument: build)
set -euo pipefail

# build: compiler and tools; libraries; OpenBLAS is loaded at run time, so its headers are not needed.
build=(cmake ninja-build g++ ccache git python3 python3-pip pkg-config
       libcli11-dev libfmt-dev libspdlog-dev libhwy-dev libssl-dev libcurl4-openssl-dev libzip-dev libsqlite3-dev libxxhash-dev
       nlohmann-json3-dev
       libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev libopenblas0-pthread)
check=(clang-format clang-tidy)
fuzz=(clang)
instructions=(valgrind)
serve=(python3-venv chromium chromium-driver)

installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_of() {
  local package
  for package in "$@"; do
    installed "$package" || echo "$package"
  done
}

# The runtime of clang's sanitizers and fuzzer carries clang's version in its name; where there is no such package,
# the ones that clang depends on bring it.
clang_runtime() {
  local version
  version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
  if [[ -n $version ]] && apt-cache show "libclang-rt-$version-dev" >/dev/null 2>&1; then
    echo "libclang-rt-$version-dev"
  fi
}

wanted=()
(($#)) || set -- build
for group in "$@"; do
  case $group in
    build) wanted+=("${build[@]}") ;;
    check) wanted+=("${check[@]}") ;;
    fuzz) wanted+=("${fuzz[@]}") ;;
    instructions) wanted+=("${instructions[@]}") ;;
    serve) wanted+=("${serve[@]}") ;;
    *)
      echo "install_packages: unknown group '$group'; the groups are build, check, fuzz, instructions and serve" >&2
      exit 2
      ;;
  esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install_packages: this is neither Debian nor Ubuntu: install what is missing of these, named as there:"
  printf '  %s\n' "${wanted[@]}"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  as_root=(sudo)
fi
install() {
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    echo "install_packages: these packages are missing: $*" >&2
    echo "install_packages: run 'apt-get install $*' as root, then try again" >&2
    exit 1
  fi
  echo "install_packages: installing $*"
  if [[ -z ${lists_are_fresh:-} ]]; then
    "${as_root[@]}" apt-get update -qq
    lists_are_fresh=1
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

mapfile -t missing < <(missing_of "${wanted[@]}")
((${#missing[@]} == 0)) || install "${missing[@]}"

if [[ " $* " == *" fuzz "* ]]; then
  runtime=$(clang_runtime)
  if [[ -n $runtime ]] && ! installed "$runtime"; then
    install "$runtime"
  fi
fi
