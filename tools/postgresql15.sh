#!/bin/sh
# Runs a command against a private PostgreSQL 15 (Debian's binaries), started for it and stopped after it:
#     tools/postgresql15.sh pytest …
# The command finds the superuser's address in VERBUND_TEST_SUPERUSER_URL. Another version: VERSION=17 tools/postgresql15.sh …
set -eu
version="${VERSION:-15}"
bin="/usr/lib/postgresql/$version/bin"

if [ ! -x "$bin/postgres" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "verbund: PostgreSQL $version is missing. On Debian: apt install postgresql-$version" >&2
        exit 1
    fi
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get -qq update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "postgresql-$version" >/dev/null || {
        echo "verbund: PostgreSQL $version could not be installed." >&2
        exit 1
    }
fi

place="$(mktemp -d /tmp/verbund-postgresql.XXXXXX)"
as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    chown postgres "$place"
    as_server() { runuser -u postgres -- "$@"; }
fi
stop() {
    as_server "$bin/pg_ctl" -D "$place/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$place"
}
trap stop EXIT
trap 'exit 130' INT TERM

(cd "$place" && as_server "$bin/initdb" -D "$place/data" -U postgres --auth=trust --encoding=UTF8 >/dev/null)
as_server "$bin/pg_ctl" -w -D "$place/data" -l "$place/log" \
    -o "-k $place -h '' -c max_connections=150 -c max_locks_per_transaction=512 -c jit=off" start >/dev/null || {
    cat "$place/log" >&2
    exit 1
}
export VERBUND_TEST_SUPERUSER_URL="postgresql://postgres@/postgres?host=$place"
"$@"
