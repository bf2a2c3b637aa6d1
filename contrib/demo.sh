#!/bin/sh
# Mounts the embedded archive service and reads it as a user would: ls, cp, rsync twice, getfattr, a checked tree hash.
#
#   sh contrib/demo.sh
set -eu
cd "$(dirname "$0")/.."
. contrib/setup.sh

# shellcheck disable=SC2119 # a demo needs no group of packages
set_up

work=$(mktemp -d)
mountpoint=$work/archive
copies=$work/copies
mkdir "$mountpoint" "$copies"
service=

end() {
    status=$?
    trap - EXIT HUP INT PIPE TERM
    cd /
    [ -z "$service" ] || { kill "$service" 2>/dev/null && wait "$service"; } || status=1
    rm -rf --one-file-system "$work"
    exit "$status"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# Shows a command and runs it.
show() {
    printf '\n$ %s\n' "$*"
    "$@"
}

printf '\n$ casfs demo %s\n' "$mountpoint"
setpriv --pdeathsig TERM .venv/bin/casfs demo "$mountpoint" & # which a SIGKILL of this script ends too
service=$!
tries=0
until mountpoint -q "$mountpoint"; do
    kill -0 "$service" 2>/dev/null || die 'casfs demo ended before its mount answered'
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || die 'casfs demo did not mount within 30 s'
    sleep 0.1
done

cd "$mountpoint"
output=$(find . -name output -size +2M | sort | head -n 1)
[ -n "$output" ] || die 'the mount shows no output'
vault=$(printf %s "$output" | cut -d / -f 2)

show ls -l . "$vault" "$(dirname "$output")"
show cp "$output" "$copies/one"
show cmp "$output" "$copies/one" || die 'the copy differs'

show rsync -a --stats . "$copies/all"
moved=$(rsync -ai . "$copies/all")
printf '\n$ rsync -ai . %s     # again\n%s' "$copies/all" "$moved"
[ -z "$moved" ] || die 'the second rsync moved something'

show getfattr -d -- "$output"

# SHA-256 of each 1 MiB, then of each two hashes side by side, until one is left: of the bytes that were copied.
printf '\n$ tree hash of the copy\n'
computed=$("$OLDPWD/.venv/bin/python" - "$copies/one" <<'PYTHON'
import hashlib, sys

with open(sys.argv[1], "rb") as copy:
    row = [hashlib.sha256(block).digest() for block in iter(lambda: copy.read(1 << 20), b"")]
while len(row) > 1:
    row = [hashlib.sha256(b"".join(row[i : i + 2])).digest() if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
print(row[0].hex())
PYTHON
)
told=$(getfattr --only-values -n user.cas.tree_hash -- "$output")
printf 'computed: %s\nthe service says: %s\n' "$computed" "$told"
[ "$computed" = "$told" ] || die 'the tree hashes differ'
cd "$OLDPWD"

printf '\n$ kill -TERM %s     # unmounts\n' "$service"
kill "$service"
wait "$service" || die 'casfs demo did not end with 0'
service=
! mountpoint -q "$mountpoint" || die 'the mount is still there'
printf '\nEverything went as it should.\n'
