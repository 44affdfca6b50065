# What ./run and ./test share; sourced, with `root` set to the checkout. POSIX sh.

say() { printf 'weir: %s\n' "$*"; }
fail() {
  printf 'weir: %s\n' "$*" >&2
  exit 1
}

# Memory this process may use, in MB: the machine's available memory, or its cgroup's limit where that is lower.
memory_mb() {
  available=$(awk '$1 == "MemAvailable:" { a = $2 } $1 == "SwapFree:" { s = $2 } END { print int((a + s) / 1024) }' \
    /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  case $limit in
    '' | *[!0-9]*) ;;
    *) [ $((limit / 1048576)) -ge "$available" ] || available=$((limit / 1048576)) ;;
  esac
  echo "$available"
}

# Parallel compilers: one a core, but no more than memory carries. The largest sources (Beast, coroutines) take 1.5 GB.
jobs() {
  cores=$(nproc)
  by_memory=$(($(memory_mb) / 1500))
  [ "$by_memory" -ge 1 ] || by_memory=1
  [ "$by_memory" -le "$cores" ] || by_memory=$cores
  echo "$by_memory"
}

# check_room DISK_MB MEMORY_MB: stops with a clear line when the machine is too small for what comes.
check_room() {
  disk=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
  [ "$disk" -ge "$1" ] || fail "$root has $disk MB free, building weir takes $1 MB; make room or move the checkout"
  memory=$(memory_mb)
  [ "$memory" -ge "$2" ] || fail "$memory MB of memory are free, weir needs $2 MB; add memory or swap"
}

# One build at a time in this checkout; the second waits. The lock ends with the process, or with unlock_build. What
# ./test starts (./run, say) works under its lock.
lock_build() {
  [ -z "${WEIR_BUILD_LOCKED:-}" ] || return 0
  mkdir -p "$root/build"
  exec 9>"$root/build/.lock"
  flock -n 9 || {
    say "another build of this checkout is under way; waiting for it"
    flock 9
  }
  export WEIR_BUILD_LOCKED=1
}
unlock_build() {
  exec 9>&-
  unset WEIR_BUILD_LOCKED
}

# configure PRESET [cmake arguments...]: the first time, and whenever the arguments change.
configure() {
  preset=$1
  shift
  tree=$root/build/$preset
  if command -v ccache >/dev/null 2>&1; then
    set -- -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
  fi
  arguments=$(printf '%s\n' "$preset" "$@")
  if [ -f "$tree/build.ninja" ] && [ "$(cat "$tree/.configured" 2>/dev/null)" = "$arguments" ]; then return 0; fi
  mkdir -p "$tree"
  if ! (cd "$root" && cmake --preset "$preset" "$@") >"$tree/configure.log" 2>&1; then
    tail -n 40 "$tree/configure.log" >&2
    return 1
  fi
  printf '%s\n' "$arguments" >"$tree/.configured"
}

# build PRESET [targets...]: ninja does the rest; without changes it takes a moment.
build() {
  preset=$1
  shift
  ninja -C "$root/build/$preset" -j "$(jobs)" "$@" 9>&-
}
