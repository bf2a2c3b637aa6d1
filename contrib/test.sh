#!/bin/sh
# Checks the whole project as it will be installed: lint, types, the wheel, every test, with real mounts.
#
#   sh contrib/test.sh [--long] [PYTEST ARGUMENTS]
#
# --long adds the tests marked long: they install programs of others (pip and npm fetch them), or take minutes.
set -eu
cd "$(dirname "$0")/.."
. contrib/setup.sh

long=
if [ "${1-}" = --long ]; then
    long=--long
    shift
    command -v npm >/dev/null || die 'the long tests need npm; install nodejs and npm, then run this again'
fi
# What Python compiles is kept, be it of the packages that setup.sh leaves to it: 1,500 processes import those.
unset PYTHONDONTWRITEBYTECODE
set_up test lint glacier fsspec release ${long:+spark}

# The wheel is what is tested, not the checkout that pytest is started from; and a mount test that cannot mount fails.
export PYTHONSAFEPATH=1 CASFS_TESTS_MUST_MOUNT=1

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/shellcheck -x contrib/*.sh .ci/run
# Beside mypy the tests are collected once, so that what pytest compiles is there for the processes that collect them all.
.venv/bin/pytest -q --collect-only ${long:+"$long"} "$@" >/dev/null &
.venv/bin/mypy -n "$(nproc)"
wait

# Two processes a processor: what takes most of the time is waiting for services that stall.
workers=$(($(nproc) * 2))
.venv/bin/pytest -q -n "$workers" --dist worksteal ${long:+"$long"} "$@"
if [ $# = 0 ]; then
    printf '\nover libfuse 2, those tests that go through the real command:\n'
    # Without what is the same over both: what comes before the library is asked or beside it, what is kept on disk,
    # other services, systemd, and commands that ask a mount. Of the matrix of faults there is one of each kind: what is
    # survived, refuted, waited for, and never comes; the library has a part in how often the kernel asks for a block.
    same='background captured_stderr demo disk_cache disk_cache_failures keep_expired listing_matrix moto mountpoint
        operating other_service permissions reload remember stopped_log third_provider top watchdog'
    ignored=
    for name in $same; do ignored="$ignored --ignore=tests/mount/test_$name.py"; done
    faults='cut-glacier or flip-glacier or stall-glacier or expire-glacier'
    chosen='(not test_refusals or test_missing_device or test_occupied_mountpoint)'
    chosen="$chosen and (not test_helper or test_line_of_fstab or test_labels)"
    chosen="$chosen and (not (glacier or test_fault_matrix) or test_exit_status_0_means_the_right_bytes and ($faults))"
    # shellcheck disable=SC2086 # the options are words
    CASFS_FUSE=2 .venv/bin/pytest -q -n "$workers" --dist worksteal tests/mount $ignored -k "$chosen"
fi
