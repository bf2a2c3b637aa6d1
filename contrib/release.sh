#!/bin/sh
# Makes what an index takes into DIRECTORY, dist if it is left out: the source, a wheel for every machine, and one with
# the compiled lanes for the kind of machine that this is. Needs the dependency group "release".
#
#   sh contrib/release.sh [DIRECTORY]
set -eu
directory=$(realpath -m "${1:-dist}")
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

compiled=$(mktemp -d)
trap 'rm -rf "$compiled"' EXIT
mkdir -p "$directory"
rm -f "$directory"/casfs-*
python -m build -n -s -o "$directory" .
HATCH_BUILD_NO_HOOKS=true python -m build -n -w -o "$directory" .
python -m build -n -w -o "$compiled" .
# It takes no wheel without a library: one that was not compiled ends this script.
auditwheel repair -w "$directory" "$compiled"/casfs-*.whl
twine check --strict "$directory"/casfs-*
