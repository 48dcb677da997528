#!/bin/sh
# Brings a fresh checkout to the point where `verbund` runs: checks what is needed with one clear line each, makes .venv, installs the
# locked packages. A second call does nothing. Called by the Makefile; needs a network only when something is missing.
set -eu
cd "$(dirname "$0")/.."
umask 022

stop() {
    printf 'verbund: %s\n' "$1" >&2
    exit 1
}

[ -w . ] || stop "no right to write into $(pwd). Check out the project where you may write."

digest() { cat "$@" | cksum | tr ' ' '-'; }

stamps=.venv/.stamps
python_state="$(digest requirements-dev.lock tools/rules.lock pyproject.toml)"
node_state="$(digest package-lock.json package.json)"
if [ "$(cat $stamps/python 2>/dev/null)" = "$python_state" ] && [ "$(cat $stamps/node 2>/dev/null)" = "$node_state" ] &&
    [ "$(cat $stamps/place 2>/dev/null)" = "$(pwd)" ]; then
    exit 0
fi

python=""
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python="$candidate"
        break
    fi
done
[ -n "$python" ] || stop "Python 3.11 or newer is missing. On Debian 12 or Ubuntu 24.04: apt install python3 python3-venv"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    stop "Python's venv module is missing. On Debian or Ubuntu: apt install python3-venv"

free_kb="$(df -Pk . | awk 'NR == 2 { print $4 }')"
[ "$free_kb" -ge 2500000 ] || [ -d .venv ] ||
    stop "too little disk space: $((free_kb / 1024)) MB free, about 2400 MB are needed."

# pip and npm keep their caches in the home folder; where that cannot be written they go below .venv.
home_writable() { [ -n "${HOME:-}" ] && [ -d "$HOME" ] && [ -w "$HOME" ]; }

if [ "$(cat $stamps/python 2>/dev/null)" != "$python_state" ] || [ "$(cat $stamps/place 2>/dev/null)" != "$(pwd)" ]; then
    echo "Python packages (about 1 GB, some minutes the first time) …"
    if [ "$(cat $stamps/place 2>/dev/null || pwd)" != "$(pwd)" ]; then
        rm -rf .venv # an environment does not survive being moved
    fi
    [ -x .venv/bin/python ] || "$python" -m venv .venv || stop "the folder .venv could not be made; see the lines above."
    mkdir -p $stamps
    home_writable || export PIP_CACHE_DIR="$(pwd)/.venv/.pip-cache"
    PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -q --require-hashes -r requirements-dev.lock ||
        stop "the Python packages could not be installed; see the lines above. The first set-up needs a network."
    PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -q --no-deps --require-hashes -r tools/rules.lock ||
        stop "the rules of electronic invoices could not be installed; see the lines above."
    PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e . ||
        stop "the project could not be installed into .venv; see the lines above."
    printf '%s' "$(pwd)" >$stamps/place
    printf '%s' "$python_state" >$stamps/python
fi

if [ "$(cat $stamps/node 2>/dev/null)" != "$node_state" ]; then
    echo "Front-end files …"
    home_writable || export npm_config_cache="$(pwd)/.venv/.npm-cache"
    npm=npm
    if ! npm --version >/dev/null 2>&1; then
        PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install -q --require-hashes -r tools/node.lock ||
            stop "npm is missing and could not be installed into .venv. On Debian or Ubuntu: apt install npm"
        npm="$(pwd)/.venv/bin/npm"
        export PATH="$(pwd)/.venv/bin:$PATH"
    fi
    "$npm" ci --silent --no-audit --no-fund --ignore-scripts ||
        stop "the front-end files could not be installed; see the lines above. The first set-up needs a network."
    printf '%s' "$node_state" >$stamps/node
fi
