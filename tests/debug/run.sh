#!/bin/sh
# run.sh [live|epoch|fail ...] -- builds the program with --enable-debug=full in a folder of its
# own (BUILD in the environment) and runs it with its checks turned on; see docs/debugging.md.
#
#   live    nothing is alive at exit: tests/lang, tests/threads, an import of each module of the
#           standard library, some of CPython's test files
#   epoch   a grace period at every poll: tests/lang, tests/threads; then few guards of caches, few numbers of shapes
#   fail    each allocation of many small programs fails once (fail_allocation.py)
#
# Without arguments all three.  Fails on a crash, a hang, a broken heap or an object left over.
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${BUILD:-${TMPDIR:-/tmp}/weft-debug}
mkdir -p "$build/logs" || exit 1
log=$build/logs
status=0
ran=0

cd "$build" || exit 1
if [ ! -f Makefile ]; then
    "$root/configure" --enable-debug=full > "$log/configure.log" 2>&1 || {
        echo "FAIL configure: see $log/configure.log"
        exit 1
    }
fi
make -j"$(nproc)" weft > "$log/make.log" 2>&1 || {
    grep -m 5 -E "error|undefined reference" "$log/make.log"
    echo "FAIL make: see $log/make.log"
    exit 1
}
weft=$build/weft

# check NAME COMMAND...: exit code 0, no line of the exit check.
check() {
    name=$1
    shift
    ran=$((ran + 1))
    timeout "${limit:-300}" "$@" > "$log/$name.log" 2>&1 < /dev/null
    code=$?
    if [ $code -ne 0 ] || grep -q -a "objects alive at exit" "$log/$name.log"; then
        echo "FAIL $name (exit $code): $(grep -a -m 1 'objects alive' "$log/$name.log" | cut -c 1-150) see $log/$name.log"
        status=1
    fi
}

# Only signals and objects left over count: a test of CPython's may fail for reasons of its own.
check_survives() {
    name=$1
    shift
    ran=$((ran + 1))
    timeout "${limit:-300}" "$@" > "$log/$name.log" 2>&1 < /dev/null
    code=$?
    if [ $code -ge 99 ] || grep -q -a "objects alive at exit" "$log/$name.log"; then
        echo "FAIL $name (exit $code): $(grep -a -m 1 'objects alive' "$log/$name.log" | cut -c 1-150) see $log/$name.log"
        status=1
    fi
}

scripts() { # prefix
    for script in "$root"/tests/lang/*.py; do
        cd "$root/tests/lang" || exit 1
        check "$1-lang-$(basename "$script" .py)" "$weft" "$script"
    done
    RACE_SECONDS=${RACE_SECONDS:-0.1}
    export RACE_SECONDS
    for script in "$root"/tests/threads/*.py; do
        name=$(basename "$script" .py)
        [ "$name" = race ] || check "$1-threads-$name" "$weft" "$script"
    done
    cd "$build" || exit 1
}

live() {
    WEFT_CHECK_EXIT=2
    export WEFT_CHECK_EXIT
    check live-nothing "$weft" -c "pass"
    scripts live
    # Modules whose import does something (opens windows, prints, needs what is not there) apart.
    "$weft" "$root/tests/debug/modules.py" > "$log/modules.txt" 2> "$log/modules.log" || {
        echo "FAIL modules.py: see $log/modules.log"
        status=1
    }
    while read -r module; do
        limit=60 check_survives "live-import-$module" "$weft" -c "import $module"
    done < "$log/modules.txt"
    for test in $(cat "$root/tests/debug/cpython.txt"); do
        check_survives "live-$test" "$weft" -m unittest "test.$test"
    done
    unset WEFT_CHECK_EXIT
}

epoch() {
    WEFT_STRESS_EPOCH=1
    export WEFT_STRESS_EPOCH
    limit=600 scripts epoch
    unset WEFT_STRESS_EPOCH
    for n in 1 500 3000; do # guards of caches run out
        check "guards-$n" env WEFT_GUARDS=$n "$weft" "$root/tests/threads/caches.py"
    done
    for n in 1500 6000; do # numbers of shapes run out
        check "shapes-endless-$n" env WEFT_SHAPES=$n "$weft" "$root/tests/threads/endless.py"
        check "shapes-classes-$n" env WEFT_SHAPES=$n "$weft" "$root/tests/threads/classes.py"
    done
}

fail() {
    limit=1800 check fail "$weft" "$root/tests/debug/fail_allocation.py" "${FAIL_LIMIT:-400}"
}

for what in ${*:-live epoch fail}; do
    case $what in
    live | epoch | fail) $what ;;
    *)
        echo "run.sh takes live, epoch, fail" >&2
        exit 2 ;;
    esac
done
[ $status -eq 0 ] && echo "ok $ran"
exit $status
