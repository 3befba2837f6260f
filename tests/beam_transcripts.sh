#!/bin/bash
# Runs Beam's own trigger transcripts on the oracle and on PROGRAM: beam_transcripts.sh PROGRAM
#
# They are fetched once out of the apache-beam wheel into build/beam.  Where they cannot be had:
# exit code 77 (skipped), or 1 in continuous integration (CI is set), where that must not pass
# unseen.
set -uo pipefail
readonly here=$(dirname "$(readlink -f "$0")")
readonly cache=$here/../build/beam

mkdir -p "$cache"
file=$(flock "$cache" /usr/bin/python3 "$here/oracle/beam_transcripts.py" "$cache") || {
  if [[ -n ${CI:-} ]]; then
    echo "beam_transcripts: FAILED, since CI is set: the apache-beam wheel cannot be had" >&2
    exit 1
  fi
  echo "beam_transcripts: SKIPPED: the apache-beam wheel cannot be had" >&2
  exit 77
}

readonly wanted="17 passed, 0 failed, 1 skipped"
counts=$(/usr/bin/python3 "$here/oracle/transcript.py" "$file")
if [[ $counts != "$wanted" ]]; then
  echo "beam_transcripts: on the oracle '$wanted' should hold: $counts" >&2
  exit 1
fi
WINDROW_BEAM_TRANSCRIPTS=$file exec "$1"
