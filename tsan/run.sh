#!/bin/sh
# run.sh [thread|address|undefined|all] [seconds] -- builds the whole program with clang and that
# sanitizer (default: thread; all: one after the other) in a folder of its own, then runs with it
#
#   the litmus programs (thread only)
#   tests/threads, each script
#   tests/lang, each script, whose output must also be the stored one
#   tests/cmdline, each script, with PATIENCE for what it limits in time
#   the mixed stress of stress.py for `seconds` (default 60)
#
# Prints a line for each that gives a report, crashes, hangs or fails, then one line that sums up;
# the exit status is 0 if there was none of these.  BUILD in the environment: the folder to build in
# (with "all" the kind is appended); CC: the compiler (clang).
if [ "${1:-thread}" = all ]; then
    status=0
    for kind in thread address undefined; do
        BUILD=${BUILD:-${TMPDIR:-/tmp}/weft}-$kind "$0" "$kind" "${2:-60}" || status=1
    done
    exit $status
fi
kind=${1:-thread}
seconds=${2:-60}
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
build=${BUILD:-${TMPDIR:-/tmp}/weft-$kind}
mkdir -p "$build/logs" || exit 1
log=$build/logs
rm -f "$log"/*.log
failed=0
summary=

fail() {
    echo "FAIL $*"
    failed=$((failed + 1))
}

case $kind in
thread)
    TSAN_OPTIONS="suppressions=$root/tsan/suppressions.txt exitcode=66 history_size=4 die_after_fork=0 second_deadlock_stack=1"
    export TSAN_OPTIONS ;;
address) # what leaks is found by the exit check of debug builds, which knows what may stay
    ASAN_OPTIONS="detect_leaks=0 exitcode=66 detect_stack_use_after_return=0"
    export ASAN_OPTIONS ;;
undefined)
    UBSAN_OPTIONS="print_stacktrace=1 exitcode=66"
    export UBSAN_OPTIONS ;;
*)
    echo "run.sh takes thread, address, undefined or all" >&2
    exit 2 ;;
esac

cd "$build" || exit 1
if [ ! -f Makefile ]; then
    CC="${CC:-clang}" "$root/configure" --with-sanitizer="$kind" > "$log/configure.log" 2>&1 || {
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
    summary="litmus, "
fi

REPORT="WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error:|Sanitizer:DEADLYSIGNAL"
# reported NAME: whether its output, or what child processes wrote to it, has a report.
reported() {
    grep -q -a -E "$REPORT" "$log/$1.log" || return 1
    fail "$1 (report): see $log/$1.log"
}

# check NAME COMMAND...: it must end well, say "ok" and print no report.
check() {
    name=$1
    shift
    timeout "${limit:-300}" "$@" > "$log/$name.log" 2>&1 < /dev/null
    code=$?
    if reported "$name"; then
        :
    elif [ $code -ne 0 ]; then
        fail "$name (exit $code): see $log/$name.log"
    elif ! grep -q "^ok" "$log/$name.log"; then
        fail "$name (no \"ok\"): see $log/$name.log"
    fi
}

RACE_SECONDS=${RACE_SECONDS:-0.2}
export RACE_SECONDS
count=0
for script in "$root"/tests/threads/*.py; do
    name=$(basename "$script" .py)
    [ "$name" = race ] && continue
    check "$name" "$build/weft" "$script"
    count=$((count + 1))
done
summary="$summary$count scripts of tests/threads, "

count=0
cd "$root/tests/lang" || exit 1
for script in *.py; do
    name=lang-${script%.py}
    timeout 300 "$build/weft" "$script" > "$log/$name.out" 2> "$log/$name.log" < /dev/null
    code=$?
    if ! reported "$name" && ! cmp -s "$log/$name.out" "${script%.py}.exp"; then
        fail "$name (exit $code): other output, $log/$name.out"
    fi
    count=$((count + 1))
done
summary="$summary$count of tests/lang, "

# What these scripts start may write its standard error anywhere: reports go to files of their own.
case $kind in
thread) TSAN_OPTIONS="$TSAN_OPTIONS log_path=$log/in-cmdline" ;;
address) ASAN_OPTIONS="$ASAN_OPTIONS allocator_may_return_null=1 log_path=$log/in-cmdline" ;;
undefined) UBSAN_OPTIONS="$UBSAN_OPTIONS log_path=$log/in-cmdline" ;;
esac
count=0
for script in "$root"/tests/cmdline/*.sh; do
    name=cmdline-$(basename "$script" .sh)
    rm -f "$log"/in-cmdline.*
    SANITIZER=$kind PATIENCE=${PATIENCE:-5} timeout 1800 bash "$script" "$build/weft" > "$log/$name.log" 2>&1 < /dev/null
    code=$?
    cat "$log"/in-cmdline.* >> "$log/$name.log" 2> /dev/null
    if ! reported "$name" && [ $code -ne 0 ]; then
        fail "$name (exit $code): see $log/$name.log"
    fi
    count=$((count + 1))
done
summary="$summary$count of tests/cmdline, "
case $kind in
thread) TSAN_OPTIONS=${TSAN_OPTIONS% log_path=*} ;;
address) ASAN_OPTIONS=${ASAN_OPTIONS% log_path=*} ;;
undefined) UBSAN_OPTIONS=${UBSAN_OPTIONS% log_path=*} ;;
esac

limit=$((seconds * 3 + 120))
check stress "$build/weft" "$root/tsan/stress.py" "$seconds"
echo "$kind: $summary$seconds s of stress.py: $failed failed"
[ $failed -eq 0 ]
