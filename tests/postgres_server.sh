#!/bin/bash
# Runs a command beside a real PostgreSQL server: postgres_server.sh COMMAND...
#
# The server (one database `web`, settings as installed) listens on a socket in a directory of its
# own, both gone when COMMAND ends; COMMAND finds its URL in POSTGRES_URL, its exit code is ours.
# Role postgres may do all; role keeper needs the password `secret`.  A server that ends while
# COMMAND runs is started again, on the same data.  Where there is no server, or it does not start:
# exit code 77 (skipped), or 1 in continuous integration (CI is set), where that must not pass
# unseen.
set -uo pipefail
self=$(readlink -f "$0")
readonly self

# --keep SERVER...: runs it again and again, until a signal.
if [[ ${1:-} == --keep ]]; then
  shift
  trap 'kill -INT "$server"; wait "$server"; exit' TERM
  while true; do
    "$@" </dev/null &
    server=$!
    wait "$server"
    sleep 0.1
  done
fi

source "$(dirname "$(readlink -f "$0")")/give_up.sh"

# Debian keeps each version in a directory of its own, away from PATH.
readonly binaries=${WINDROW_POSTGRES_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V |
  tail -n 1)}
[[ -x $binaries/postgres ]] || give_up "no 'postgres' (Debian: postgresql-15)"

dir=$(mktemp -d)
keeper= command=
clean_up() {
  local pid
  for pid in $command $keeper; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# It refuses to run as root.
as_server=()
if ((EUID == 0)); then
  id postgres >/dev/null 2>&1 || give_up "no user 'postgres' to run the server as"
  as_server=(setpriv --reuid=postgres --regid=postgres --init-groups)
  chown postgres "$dir"
  chmod 755 "$dir"
fi
cd "$dir" # where that user may be
"${as_server[@]}" test -w "$dir" || give_up "user 'postgres' may not enter $dir: set TMPDIR"
"${as_server[@]}" "$binaries/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C -N \
  >"$dir/initdb.log" 2>&1 || {
  tail -n 20 "$dir/initdb.log" >&2
  give_up "initdb failed"
}
sed -i '1i local all keeper scram-sha-256' "$dir/data/pg_hba.conf"

# The kernel ends both when we are killed without a chance to clean up.
setpriv --pdeathsig TERM "$self" --keep "${as_server[@]}" setpriv --pdeathsig KILL \
  "$binaries/postgres" -D "$dir/data" -c listen_addresses= -c unix_socket_directories="$dir" \
  -c shared_preload_libraries=pg_stat_statements >"$dir/server.log" 2>&1 &
keeper=$!
readonly ask=("$binaries/psql" -X -q -v ON_ERROR_STOP=1 -h "$dir" -U postgres)
for try in $(seq 300); do
  "${ask[@]}" -d postgres -c 'SELECT 1' >/dev/null 2>&1 && break
  if ((try == 300)); then
    tail -n 20 "$dir/server.log" >&2
    give_up "the server did not start"
  fi
  sleep 0.1
done
"${ask[@]}" -d postgres -c 'CREATE DATABASE web' &&
  "${ask[@]}" -d web -c "CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats;
    CREATE ROLE keeper LOGIN PASSWORD 'secret'" ||
  give_up "the server does not take its first statements"

export POSTGRES_URL="postgresql:///web?host=$dir&user=postgres"
if (($# == 0)); then
  echo "$POSTGRES_URL"
  wait "$keeper"
  exit
fi
say "PostgreSQL is ready at $POSTGRES_URL"
cd "$OLDPWD"
"$@" <&0 &
command=$!
wait "$command"
code=$?
command=
exit "$code"
