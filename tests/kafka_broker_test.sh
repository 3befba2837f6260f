#!/bin/bash
# The fixture kafka_broker.sh: messages come back, the exit code is the command's, nothing is left.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
address=$(mktemp)
trap 'rm -f "$address"' EXIT
export address

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
echo "1000 messages came back"
