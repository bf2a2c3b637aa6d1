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
    # Without what is the same over both: what is kept on disk, services of others, what systemd is told, and of the
    # matrices of faults the wide half and those of the names.
    CASFS_FUSE=2 .venv/bin/pytest -q -n "$workers" --dist worksteal tests/mount \
        --ignore-glob='*/test_disk_cache*' --ignore-glob='*/test_keep_expired*' \
        --ignore-glob='*/test_other_service*' --ignore-glob='*/test_moto*' \
        --ignore-glob='*/test_operating*' --ignore-glob='*/test_watchdog*' --ignore-glob='*/test_listing_matrix*' \
        -k 'not (test_exit_status_0_means_the_right_bytes and cas or test_a_fault_of_the_names)'
fi
