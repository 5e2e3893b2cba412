#!/bin/sh
# run.sh [thread|address|undefined] [seconds] -- builds the whole program with clang and that
# sanitizer (default: thread) in a folder of its own, then runs the litmus programs (thread
# only), tests/threads and the mixed stress of stress.py for `seconds` (default 60).  Fails
# on any report, crash or hang.  BUILD in the environment: the folder to build in.
kind=${1:-thread}
seconds=${2:-60}
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=${BUILD:-${TMPDIR:-/tmp}/weft-$kind}
mkdir -p "$build/logs" || exit 1
log=$build/logs
status=0

fail() {
    echo "FAIL $*"
    status=1
}

case $kind in
thread)
    TSAN_OPTIONS="suppressions=$root/tsan/suppressions.txt exitcode=66 history_size=4 die_after_fork=0 second_deadlock_stack=1"
    export TSAN_OPTIONS ;;
address)
    ASAN_OPTIONS="detect_leaks=0 exitcode=66 detect_stack_use_after_return=0"
    export ASAN_OPTIONS ;;
undefined)
    UBSAN_OPTIONS="print_stacktrace=1 exitcode=66"
    export UBSAN_OPTIONS ;;
*)
    echo "run.sh takes thread, address or undefined" >&2
    exit 2 ;;
esac

cd "$build" || exit 1
if [ ! -f Makefile ]; then
    CC=clang "$root/configure" --with-sanitizer="$kind" > "$log/configure.log" 2>&1 || {
        tail -n 20 "$log/configure.log"
        echo "FAIL configure: see $log/configure.log"
        exit 1
    }
fi
make -j"$(nproc)" weft > "$log/make.log" 2>&1 || {
    grep -m 5 -E "error|undefined reference" "$log/make.log"
    echo "FAIL make: see $log/make.log"
    exit 1
}

if [ "$kind" = thread ]; then
    "$root/tsan/litmus/run.sh" "$build/litmus" > "$log/litmus.log" 2>&1 ||
        fail "litmus: see $log/litmus.log"
fi

# check NAME COMMAND...: it must say "ok" and print no report.
check() {
    name=$1
    shift
    timeout "${limit:-300}" "$@" > "$log/$name.log" 2>&1
    code=$?
    if [ $code -ne 0 ]; then
        fail "$name (exit $code): see $log/$name.log"
    elif grep -q -E "WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error:" "$log/$name.log"; then
        fail "$name (report): see $log/$name.log"
    elif ! grep -q "^ok" "$log/$name.log"; then
        fail "$name (no \"ok\"): see $log/$name.log"
    fi
}

RACE_SECONDS=${RACE_SECONDS:-0.2}
export RACE_SECONDS
for script in "$root"/tests/threads/*.py; do
    name=$(basename "$script" .py)
    [ "$name" = race ] || check "$name" "$build/weft" "$script"
done
limit=$((seconds * 3 + 120))
check stress "$build/weft" "$root/tsan/stress.py" "$seconds"
[ $status -eq 0 ] && echo ok
exit $status
