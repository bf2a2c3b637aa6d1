#!/bin/sh
# Checks the whole project as it will be installed: lint, types, the wheel, every test, with real mounts.
#
#   sh contrib/test.sh [PYTEST ARGUMENTS]
set -eu
cd "$(dirname "$0")/.."
. contrib/setup.sh

set_up test lint glacier

# The wheel is what is tested, not the checkout that pytest is started from; and a mount test that cannot mount fails.
export PYTHONSAFEPATH=1 CASFS_TESTS_MUST_MOUNT=1

.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
if command -v shellcheck >/dev/null; then
    shellcheck -x contrib/*.sh .ci/run
fi

# Those tests that go through the real command once more over the other FUSE library, beside all tests: what takes their
# time is waiting for services that stall. A shell has what it puts in the background ignore Ctrl-C, which some of them
# press.
other_log=.venv/over-libfuse-2
other=
trap '[ -z "$other" ] || kill -INT "$other" 2>/dev/null' EXIT
if [ $# = 0 ]; then
    CASFS_FUSE=2 env --default-signal=INT .venv/bin/pytest -q tests/mount >"$other_log" 2>&1 &
    other=$!
fi
failed=0
.venv/bin/pytest -q "$@" || failed=1
if [ -n "$other" ]; then
    wait "$other" || failed=1
    other=
    printf '\nover libfuse 2:\n'
    cat "$other_log"
fi
exit "$failed"
