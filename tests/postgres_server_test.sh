#!/bin/bash
# The fixture postgres_server.sh: rows come back, also over a restart, the exit code is the
# command's, nothing is left; a server that is not there is a failure in continuous integration and
# a skipped test elsewhere.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export url=$scratch/url pid=$scratch/pid

./postgres_server.sh bash -c '
  echo "$POSTGRES_URL" >"$url"
  ask() { "$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)/psql" -XqAt -c "$1" "$POSTGRES_URL"; }
  ask "CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n" || exit 1
  server() { ask "SELECT pg_read_file('\''postmaster.pid'\'')" | head -n 1; }
  kill -INT "$(server)" || exit 1
  for _ in $(seq 100); do sleep 0.1; ask "SELECT 1" >/dev/null 2>&1 && break; done
  server >"$pid"
  [[ $(ask "SELECT sum(n) FROM numbers") == 500500 ]] || exit 1
  exit 7'
code=$?
[[ $code == 77 ]] && exit 77 # skipped, and said so
if [[ $code != 7 ]]; then
  echo "the command ended with 7, the fixture with $code"
  exit 1
fi
directory=$(sed 's/.*host=//; s/&.*//' "$url")
if [[ -e $directory ]] || kill -0 "$(<"$pid")" 2>/dev/null; then
  echo "the server or its directory is still there: $directory"
  exit 1
fi

# without_server EXPECTED VARIABLE...
without_server() {
  local expected=$1
  shift
  env -u CI WINDROW_POSTGRES_BIN="$scratch" "$@" ./postgres_server.sh true 2>"$scratch/said"
  code=$?
  if [[ $code != "$expected" ]]; then
    echo "without a server and with '$*' the fixture ended with $code, not $expected"
    cat "$scratch/said"
    exit 1
  fi
}
without_server 77
without_server 1 CI=true
echo "1000 rows came back; no server is 77, in continuous integration 1"
