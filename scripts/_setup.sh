# shellcheck shell=sh
# Shared by demo, test, check, bench and soak: a virtual environment in .venv with the product built into it, and,
# where allowed, the Debian packages it needs. Sourced, not run. Quick when nothing has changed: a stamp holds the
# hash of everything the build reads. Needs no environment variable and never reads standard input.
#
#   . scripts/_setup.sh; setup run      the product and its 'images' extra       (scripts/demo)
#   . scripts/_setup.sh; setup dev      and the dev group, the judges, the peers (everything else)

root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
python=$venv/bin/python
log=$root/build/setup.log
packages_run="gcc libc6-dev python3-dev python3-venv openssl"
packages_dev="dcmtk orthanc dicom3tools libgdcm-tools mtools dosfstools xorriso libopenjp2-tools clang-tidy shellcheck strace git genisoimage unzip picocom tmux lrzsz exfatprogs exfat-fuse qemu-system-arm firmware-microbit-micropython libaravis-0.8-0 iptables iproute2"
packages_cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user"
micropython=@micropython/micropython-webassembly-pyscript@1.27.0
micropython_stubs='micropython-rp2-rpi_pico_w-stubs==1.29.*'

say() { printf '%s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# step LABEL COMMAND...: runs quietly into the log, with a dot every two seconds, so that a slow line is seen to live.
step() {
    label=$1
    shift
    printf '  %s ' "$label"
    begun=$(date +%s)
    { printf '\n== %s\n' "$*"; } >>"$log"
    "$@" >>"$log" 2>&1 </dev/null &
    job=$!
    trap 'kill "$job" 2>/dev/null; exit 130' INT TERM
    beats=0
    while kill -0 "$job" 2>/dev/null; do
        sleep 0.2
        beats=$((beats + 1))
        [ $((beats % 10)) -ne 0 ] || printf '.'
    done
    code=0
    wait "$job" || code=$?
    trap - INT TERM
    [ "$code" -eq 0 ] || printf ' failed\n'
    [ "$code" -ne 0 ] || printf ' %s s\n' "$(($(date +%s) - begun))"
    return "$code"
}

fail_with_log() {
    tail -n 25 "$log" >&2
    die "$1 (whole log: $log)"
}

may_install() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# Debian packages that are not there. A tool that came another way (its command is found) counts as there.
missing_packages() {
    for package in "$@"; do
        case $package in
        gcc) command -v cc >/dev/null && continue ;;
        openssl | strace | clang-tidy | shellcheck | git | npm) command -v "$package" >/dev/null && continue ;;
        nodejs) command -v node >/dev/null && continue ;;
        python3-venv) "$base_python" -c 'import ensurepip, venv' 2>/dev/null && continue ;;
        python3-dev) has_python_header && continue ;;
        esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
    done
}

has_python_header() {
    header=$("$base_python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
    [ -f "$header" ]
}

# RUNLEVEL=1 keeps the Debian packages from starting their services: the tests start their own peers.
install_packages() {
    step "apt-get update" as_root apt-get update -q || return 1
    # shellcheck disable=SC2086  # a list of words
    step "apt-get install$1" as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -q -y --no-install-recommends $1
}

# $1 'required' or 'optional', then package names.
setup_packages() {
    need=$1
    shift
    command -v dpkg-query >/dev/null || {
        say "  not a Debian or Ubuntu system: make sure of a C compiler, the Python headers and openssl yourself"
        return 0
    }
    lacking=$(missing_packages "$@")
    [ -n "$lacking" ] || return 0
    if may_install; then
        install_packages "$lacking" && return 0
        [ "$need" = optional ] || fail_with_log "the Debian packages could not be installed:$lacking"
    fi
    line="sudo apt-get update && sudo apt-get install -y --no-install-recommends$lacking"
    [ "$need" = optional ] || die "packages are missing; type this once, then start again:
  $line"
    say "  not installed, so their tests will be skipped. To have them, type:"
    say "    $line"
}

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$candidate" >/dev/null || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue
        command -v "$candidate"
        return 0
    done
    return 1
}

# A machine without any Python, or with one that is too old beside a distribution that has a newer one.
get_python() {
    command -v apt-get >/dev/null || return 1
    may_install || return 1
    install_packages " python3 python3-venv python3-dev"
}

# What decides whether the build in .venv is still the right one.
fingerprint() {
    cd "$root" && { cat pyproject.toml native/CMakeLists.txt native/ffi_build.py native/include/* native/src/*
        printf '%s' "$root $1"; } | sha256sum | cut -d ' ' -f 1
}

# Build requirements go into .venv itself, so that CMake's cache stays valid from one build to the next.
build_requirements='
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))
print("\n".join([*project["build-system"]["requires"], "cmake>=3.18", "ninja"]))'

setup_python() {
    "$base_python" -c 'import sys; print("  Python", sys.version.split()[0], "at", sys.executable)'
    "$python" -m pip --version >/dev/null 2>&1 ||
        step "virtual environment in .venv" "$base_python" -m venv --clear "$venv" ||
        fail_with_log "no virtual environment; on Debian install python3-venv"
    pip="$python -m pip --disable-pip-version-check --no-input"
    if ! "$python" -m pip install --help | grep -q -- --group; then # dependency groups came with pip 25.1
        # shellcheck disable=SC2086
        step "newer pip" $pip install --upgrade 'pip>=25.1' || fail_with_log "pip could not be upgraded"
    fi
    "$python" -c "$build_requirements" "$root/pyproject.toml" >"$root/build/requirements.txt"
    # shellcheck disable=SC2086
    step "build tools" $pip install -r "$root/build/requirements.txt" || fail_with_log "pip could not install"
    if [ "$1" = dev ]; then
        # shellcheck disable=SC2086
        step "tools and judges for the tests" $pip install --group "$root/pyproject.toml:dev" ||
            fail_with_log "pip could not install the dev group"
    fi
    # shellcheck disable=SC2086
    step "modality-agent and its C core" $pip install --no-build-isolation -e "${root}[images]" ||
        fail_with_log "the product did not build"
}

# The front panel's firmware is checked against the stubs of its port, which must not mix with those of this Python,
# and runs on a real MicroPython under node.
setup_micropython() {
    # shellcheck disable=SC2086
    step "MicroPython's types in hw/typings" $pip install --upgrade --target "$root/hw/typings" "$micropython_stubs" ||
        fail_with_log "pip could not install"
    setup_packages optional nodejs npm
    mkdir -p "$root/build/micropython"
    if command -v npm >/dev/null && step "MicroPython for node" npm install --no-save \
        --prefix "$root/build/micropython" "$micropython"; then
        return 0
    fi
    say "  no MicroPython (npm, nodejs), so the tests of the front panel on it will be skipped"
}

is_set_up() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$python" -c 'import agent.native._core' 2>/dev/null
}

setup() {
    mkdir -p "$root/build"
    stamp=$venv/.setup-$1
    wanted=$(fingerprint "$1")
    is_set_up && return 0
    exec 9>"$root/build/setup.lock"
    command -v flock >/dev/null && flock 9 # a second script waits for the first, then finds its stamp
    is_set_up && return 0
    : >"$log"
    say "Setting up (once; log in build/setup.log)"
    base_python=$(find_python) || { get_python && base_python=$(find_python); } ||
        die "no Python 3.11 or later found; Debian 12: sudo apt-get install -y python3
  (Ubuntu 22.04: sudo apt-get install -y python3.11 python3.11-dev python3.11-venv)"
    # shellcheck disable=SC2086
    setup_packages required $packages_run
    setup_python "$1"
    if [ "$1" = dev ]; then
        fingerprint run >"$venv/.setup-run"
        # shellcheck disable=SC2086
        setup_packages optional $packages_dev
        # shellcheck disable=SC2086
        setup_packages optional $packages_cross
        setup_micropython
    fi
    say "$wanted" >"$stamp"
    exec 9>&-
}
