#!/bin/sh
# Sets up what `make up` needs, with --tests what `make test` needs: Python packages by uv, programs by the system's
# packages. NEXUS_TRAINING=off leaves out PyTorch and its friends: a stack that only answers, and never improves itself.
# Safe to run again: what is there is left alone, and then it takes a fifth of a second.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.8
TORCH=2.13.0+cpu
TOOLS=.nexus/tools

refuse() { echo "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else refuse "Administrator rights are needed to install packages: as root, run: apt-get install -y $missing"
    fi
}

# A freshly installed server is started by its package, on the very port we want. /usr/sbin/policy-rc.d is Debian's way
# to say no; a machine that has one already keeps it.
install_packages() {
    missing="$*"
    command -v apt-get >/dev/null || refuse "These programs are missing, and there is no apt-get here: install $missing"
    echo "Installing $missing"
    as_root env DEBIAN_FRONTEND=noninteractive PACKAGES="$missing" sh -eu -c '
        guard=/usr/sbin/policy-rc.d
        if [ ! -e "$guard" ]; then
            trap "rm -f $guard" EXIT INT TERM
            printf "#!/bin/sh\nexit 101\n" >"$guard"
            chmod 755 "$guard"
        fi
        log=$(mktemp)
        for attempt in install update-and-install; do
            [ "$attempt" = install ] || apt-get update -qq >"$log" 2>&1 || true
            if apt-get install -y -qq --no-install-recommends $PACKAGES >"$log" 2>&1; then rm -f "$log"; exit 0; fi
        done
        tail -n 3 "$log" >&2
        rm -f "$log"
        exit 1
    ' || refuse "The packages could not be installed (see above). Install them yourself, then try again: sudo apt-get install -y $missing"
}

# Nexus runs its own copies of these servers; the packages would also start theirs when the machine starts.
leave_to_nexus() {
    [ -d /run/systemd/system ] || return 0
    as_root systemctl disable --quiet "$@" 2>/dev/null || echo "Note: $* may start with this machine; see: systemctl disable $*"
}

need_programs() {
    packages=""
    command -v redis-server >/dev/null || packages="$packages redis-server"
    command -v prometheus >/dev/null || packages="$packages prometheus"
    command -v prometheus-alertmanager >/dev/null || packages="$packages prometheus-alertmanager"
    servers="$packages"
    if [ "$tests" = yes ]; then
        command -v chromium >/dev/null || packages="$packages chromium"
        ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { packages="$packages postgresql"; servers="$servers postgresql"; }
    fi
    [ -z "$packages" ] || install_packages $packages
    [ -z "$servers" ] || leave_to_nexus $servers
}

need_uv() {
    if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then UV=uv; return; fi
    UV="$TOOLS/bin/uv"
    [ -x "$UV" ] && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    echo "Installing uv $UV_VERSION into $TOOLS"
    mkdir -p "$TOOLS"
    python3 -m venv "$TOOLS"
    "$TOOLS/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION" ||
        refuse "uv could not be downloaded (see above): check the network or pip's settings, then try again"
}

need_packages() {
    groups="--no-dev"
    [ "$training" = yes ] && groups="--no-dev --group training"
    [ "$tests" = yes ] && groups=""
    quiet="--quiet"
    [ -d .venv ] || { quiet=""; echo "Installing Python packages into .venv"; }
    # --inexact: what a developer installed beside stays. No interpreter is downloaded: the machine's own is used.
    UV_PYTHON_DOWNLOADS=never "$UV" sync --frozen --inexact $groups $quiet ||
        refuse "The Python packages could not be installed (see above): check the network and the disk, then try again"
}

# Not from the lock: there PyTorch comes with gigabytes of CUDA. A build for the CPU is taken from the folder or index
# that pip or uv is told to use, or else from PyTorch's own.
need_torch() {
    .venv/bin/python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' && return
    echo "Installing PyTorch $TORCH (CPU) beside the other packages"
    links="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-$(python3 -m pip config get global.find-links 2>/dev/null || true)}}"
    python="$PWD/.venv/bin/python"
    uv=$(command -v "$UV") && uv=$(realpath "$uv")
    # From elsewhere: here the workspace's settings would leave PyTorch out again.
    install() { (cd / && "$uv" pip install --quiet --python "$python" "torch==$TORCH" "$@"); }
    { [ -n "$links" ] && UV_FIND_LINKS="$links" install 2>/dev/null; } ||
        install --index https://download.pytorch.org/whl/cpu ||
        refuse "PyTorch could not be installed (see above): install a CPU build of torch $TORCH into .venv, then try again"
}

tests=no
training=yes
[ "${1:-}" = --tests ] && tests=yes
[ "${NEXUS_TRAINING:-on}" = off ] && [ "${1:-}" != --training ] && training=no
[ "$(uname -sm)" = "Linux x86_64" ] || refuse "The stack without Docker needs Linux on x86-64 (Triton's wheel is made for it); this is $(uname -sm)"
command -v python3 >/dev/null || refuse "Python is missing: sudo apt-get install -y python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    refuse "Python 3.11 or newer is needed; python3 here is $(python3 -V 2>&1 | cut -d' ' -f2)"
need_programs
need_uv
need_packages
[ "$tests$training" = nono ] || need_torch
