#!/bin/bash
# The fixture kafka_broker.sh: messages come back, the exit code is the command's, nothing is left;
# a broker that does not start is a failure in continuous integration and a skipped test elsewhere.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export address=$scratch/address

./kafka_broker.sh bash -c '
  echo "$BOOTSTRAP_SERVERS" >"$address"
  seq 1000 | kcat -q -b "$BOOTSTRAP_SERVERS" -P -t numbers || exit 1
  kcat -q -b "$BOOTSTRAP_SERVERS" -C -e -t numbers | sort -n | cmp - <(seq 1000) || exit 1
  exit 7'
code=$?
[[ $code == 77 ]] && exit 77 # skipped, and said so
if [[ $code != 7 ]]; then
  echo "the command ended with 7, the fixture with $code"
  exit 1
fi
if (exec 3<>"/dev/tcp/$(tr : / <"$address")") 2>/dev/null; then
  echo "the broker is still there: $(cat "$address")"
  exit 1
fi

# without_broker EXPECTED VARIABLE...: no jars to start it from, which is seen only when it starts.
mkdir "$scratch/lib-$(sed -n 's/^readonly version=//p' kafka_broker.sh)"
without_broker() {
  local expected=$1
  shift
  env -u CI WINDROW_KAFKA_CACHE="$scratch" "$@" ./kafka_broker.sh true 2>"$scratch/said"
  code=$?
  if [[ $code != "$expected" ]]; then
    echo "without a broker and with '$*' the fixture ended with $code, not $expected"
    cat "$scratch/said"
    exit 1
  fi
}
without_broker 77
without_broker 1 CI=true
echo "1000 messages came back; no broker is 77, in continuous integration 1"
