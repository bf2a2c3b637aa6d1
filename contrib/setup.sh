# shellcheck shell=sh
# Sourced by demo.sh and test.sh, from the top of the checkout: installs what is missing, makes .venv, builds the wheel
# and installs it there. Every failure ends the script with one line that says what to do. OS_RELEASE names another
# file than /etc/os-release, for the test.
#
#   set_up GROUP...     with the dependency groups of pyproject.toml that are wanted beside casfs itself

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The names of the distribution's packages. libfuse3-N comes with fuse3, which depends on it; it is named so that a
# line that says what to install is complete.
name_packages() {
    # shellcheck source=/dev/null
    system=$(. "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && printf '%s %s' "$ID" "${VERSION_ID-}") || system=unknown
    python_packages='python3 python3-venv'
    case $system in
    'debian 12') libfuse2=libfuse2 libfuse3=libfuse3-3 ;;
    'debian 13') libfuse2=libfuse2t64 libfuse3=libfuse3-4 ;;
    'ubuntu 22.04') libfuse2=libfuse2 libfuse3=libfuse3-3 python_packages='python3.11 python3.11-venv' ;;
    'ubuntu 24.04') libfuse2=libfuse2t64 libfuse3=libfuse3-3 ;;
    *) libfuse2='libfuse 2' libfuse3='libfuse 3' python_packages='Python 3.11 or newer with venv' ;;
    esac
}

# The newest Python that casfs runs on and that can make a virtual environment.
find_python() {
    for python in python3.14 python3.13 python3.12 python3.11 python3; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return
    done
    return 1
}

has_library() {
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q "$1"
}

# With the groups: some tests make a network of their own, where they are root's.
missing_packages() {
    find_python || printf '%s ' "$python_packages"
    has_library 'libfuse\.so\.2' || printf '%s ' "$libfuse2"
    has_library 'libfuse3\.so\.' || printf '%s ' "$libfuse3"
    command -v fusermount3 >/dev/null || printf 'fuse3 '
    command -v getfattr >/dev/null || printf 'attr '
    command -v rsync >/dev/null || printf 'rsync '
    command -v cc >/dev/null || printf 'gcc libc6-dev '
    case "$(id -u) $* " in
    '0 '*'test '*)
        command -v tc >/dev/null || printf 'iproute2 '
        command -v nft >/dev/null || printf 'nftables '
        ;;
    esac
}

install_packages() {
    if [ "$(id -u)" = 0 ]; then as_root=; else as_root=sudo; fi
    if [ "$libfuse2" = 'libfuse 2' ] || ! command -v ${as_root:-apt-get} apt-get >/dev/null; then
        die "install these first, then run this again: $*"
    fi
    printf 'installing: %s\n' "$*"
    $as_root apt-get update -qq || die "apt-get update failed; then install: $*"
    # shellcheck disable=SC2086 # as_root is a word or nothing
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null ||
        die "apt-get could not install: $*"
}

run_pip() {
    .venv/bin/pip install -q --disable-pip-version-check "$@" ||
        die 'pip could not fetch the Python packages; see above, and check the network or PIP_INDEX_URL'
}

fetch_tools() {
    [ -x .venv/bin/hatchling ] || run_pip 'pip>=25.1' hatchling
}

build_wheel() {
    rm -rf .venv/wheel
    .venv/bin/pip wheel -q --no-deps --no-build-isolation -w .venv/wheel . || die 'the wheel could not be built; see above'
}

# Once for each pyproject.toml: what is needed changes when it does. The groups bring 100 MB of Python, of which the
# tests import a tenth: that is compiled when they do.
fetch_dependencies() {
    stamp=.venv/dependencies-of-$(cksum <pyproject.toml | tr ' ' -)-$(printf %s "$*" | tr ' ' -)
    [ ! -e "$stamp" ] || return 0
    printf 'fetching the Python packages\n'
    groups=
    for group in "$@"; do groups="$groups --group $group"; done
    # shellcheck disable=SC2086 # the groups are words
    run_pip ${groups:+--no-compile} .venv/wheel/casfs-*.whl $groups
    touch "$stamp"
}

set_up() {
    name_packages
    missing=$(missing_packages "$@")
    # shellcheck disable=SC2086 # the packages are words
    [ -z "$missing" ] || install_packages $missing
    find_python || die 'there is no Python 3.11 or newer with venv; install: '"$python_packages"
    [ -x .venv/bin/pip ] || "$python" -m venv .venv || die "$python could not make .venv"
    fetch_tools
    build_wheel
    fetch_dependencies "$@"
    .venv/bin/pip install -q --no-deps --force-reinstall .venv/wheel/casfs-*.whl || die 'the wheel could not be installed'
}
