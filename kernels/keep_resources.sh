#!/bin/bash
# Runs nvcc and keeps what ptxas says of each kernel in OBJECT.ptxas: keep_resources.sh COMMAND...
#
# CMake's launcher for CUDA.  Everything else that nvcc says goes on to stderr.
set -uo pipefail

object=
for ((i = 1; i < $#; i++)); do
  if [[ ${!i} == -o ]]; then
    j=$((i + 1))
    object=${!j}
  fi
done

# Wheels are unpacked anew in every checkout: the compiler is known by its bytes, not by its age.
export CCACHE_COMPILERCHECK=content
"$@" 2>"$object.ptxas"
code=$?
grep -vE '^ptxas info|bytes stack frame|^$' "$object.ptxas" >&2
exit "$code"
