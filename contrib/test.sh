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
.venv/bin/pytest -q "$@"
if [ $# = 0 ]; then
    # Once more through the kernel, over the other FUSE library.
    CASFS_FUSE=2 .venv/bin/pytest -q tests/mount
fi
