#!/bin/sh
# Everything a machine can say without running the product. All checks run, mypy, which takes longest, beside the others; the exit code
# is 1 when one of them failed.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=""
export DJANGO_SETTINGS_MODULE=verbund.config.settings PYTHONWARNINGS=ignore

step() {
    name="$1"
    shift
    if output="$("$@" 2>&1)"; then
        printf '  ok      %s\n' "$name"
        printf '%s\n' "$output" | grep -i 'skipped$' | sed 's/^/          /'
    else
        printf '  FAILED  %s\n%s\n' "$name" "$output"
        failed="$failed, $name"
    fi
}

registries() { # no address of a registry and no path of one machine in what is committed
    ! git grep -nIE '"resolved": *"http|--(extra-)?index-url|^registry *=|pypi\.org|files\.pythonhosted|registry\.npmjs' -- . ':!tools/check.sh' ':!tools/locks.py'
}

types="$(mktemp)"
trap 'rm -f "$types"' EXIT
$bin/mypy >"$types" 2>&1 &
typing=$!
types() {
    cat "$types"
    return "$typed"
}

step "ruff" $bin/ruff check src tests tools conftest.py
step "ruff format" $bin/ruff format --check src tests tools conftest.py
step "import contracts" $bin/lint-imports --no-cache
step "djlint" $bin/djlint src --lint --quiet
step "texts" $bin/python tools/messages.py check
step "glossary" $bin/python tools/glossary.py check
step "migrations" $bin/django-admin makemigrations --check --dry-run --skip-checks
step "django check" $bin/django-admin check
step "bandit" $bin/bandit -q -ll -r src -c pyproject.toml
step "lock files" $bin/python tools/locks.py
step "no registries" registries
step "bill of materials" $bin/python tools/sbom.py
step "known holes" $bin/python tools/audit.py
typed=0
wait "$typing" || typed=$?
step "mypy (strict)" types

if [ -n "$failed" ]; then
    printf 'check: failed: %s\n' "${failed#, }"
    exit 1
fi
echo "check: all good"
