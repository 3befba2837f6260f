#!/bin/bash
# All that a machine with a GPU is for: tests/gpu/run.sh [--quick] [--twin] [test|sanitize|bench]...
#
# `./run gpu` builds, then runs this.  Without a part: all three, in 10 minutes, quick ones in 5; a
# part alone has all of that time, and WINDROW_GPU_SECONDS gives more.  --twin takes the host twin
# of the GPU in its place: what this script does is then shown on any machine, in small.  Every
# step has a log under build/gpu.  One that fails, or is not done in time, is named at the end; the
# others go on.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."

backend=cuda quick='' parts=()
for word; do
  case $word in
    --quick) quick=1 ;;
    --twin) backend=twin ;;
    test | sanitize | bench) parts+=("$word") ;;
    *)
      echo "./run gpu: takes --quick, --twin, test, sanitize and bench: word=$word" >&2
      exit 64
      ;;
  esac
done
readonly backend quick logs=build/gpu
mkdir -p "$logs"
export WINDROW_BACKEND=$backend
if [[ -d /dev/shm ]]; then export TMPDIR=/dev/shm; fi  # state directories of tests, synced often
commit=$(git describe --always --exclude='*' --dirty=+ 2>/dev/null || echo unknown)

say() { echo "./run gpu: $*"; }

# Is there a GPU?  Its name and driver, else why not.
if [[ $backend == cuda ]]; then
  if [[ -x build/bench/gpu_first ]] &&
    facts=$(build/bench/gpu_first --facts --commit "$commit" 2>"$logs/facts.log"); then
    say "on $facts"
  else
    say "$(cat "$logs/facts.log" 2>/dev/null || echo 'built without nvcc')"
    say "nothing was run; \`./run gpu --twin\` shows on this machine what it would do"
    exit 77
  fi
fi

failed=() skipped=() deadline=0

# step NAME COMMAND...: until the part has to end; 77 is a skip.
step() {
  local name=$1 from=$SECONDS seconds=$((deadline - SECONDS)) code=124
  shift
  if ((seconds > 0)); then
    timeout "$seconds" "$@" >"$logs/$name.log" 2>&1
    code=$?
  fi
  case $code in
    0) say "$name: passed, $((SECONDS - from)) s" ;;
    77)
      say "$name: $(tail -n 1 "$logs/$name.log")"
      skipped+=("$name")
      ;;
    124)
      say "$name: NOT DONE in the time of its part ($((SECONDS - from)) s)"
      failed+=("$name")
      ;;
    *)
      say "$name: FAILED with $code; the end of $logs/$name.log:"
      tail -n 15 "$logs/$name.log"
      failed+=("$name")
      ;;
  esac
}

# Steps that run beside each other; what they say comes when all have ended.  They are processes of
# their own, so their verdicts come back as files.
beside=()
later() {
  local name=$1
  (
    step "$@" >"$logs/$name.said"
    echo "${failed[*]}" >"$logs/$name.failed"
    echo "${skipped[*]}" >"$logs/$name.skipped"
  ) &
  beside+=("$name")
}
# Each of these ends with the verdicts that the script had when it began, and its own.
join() {
  local name
  wait
  for name in "${beside[@]}"; do
    cat "$logs/$name.said"
    if [[ " $(<"$logs/$name.failed") " == *" $name "* ]]; then failed+=("$name"); fi
    if [[ " $(<"$logs/$name.skipped") " == *" $name "* ]]; then skipped+=("$name"); fi
  done
  beside=()
}

# The golden set with a restart at every action makes each step anew a hundred thousand times: a
# quick run leaves it out, the fuzzer and the transcripts restart as well.
test_part() {
  local source name scripts=20000 shards shard
  for source in tests/gpu/*_test.cu; do
    name=$(basename "$source" .cu)
    if [[ -x build/tests/$name ]]; then
      step "$name" "build/tests/$name"
    else
      say "$name: skipped, built without nvcc"
      skipped+=("$name")
    fi
  done
  for name in aggregation_test pipeline_test; do  # but what is promised of the CPU's bytes
    later "$name" "build/tests/$name" --gtest_filter=-*ToTheSameBytes*
  done
  later transcripts_test build/tests/transcripts_test
  later golden_test build/tests/golden_test
  if [[ -z $quick ]]; then later golden_restart_test build/tests/golden_restart_test; fi
  if [[ -n $quick ]]; then scripts=4000; fi
  if [[ $backend == twin ]]; then scripts=400; fi
  shards=$(nproc)
  if ((shards > 8)); then shards=8; fi
  for ((shard = 0; shard < shards; ++shard)); do  # seeds of its own for each
    WINDROW_FUZZ_SEED=$((700 + shard)) WINDROW_FUZZ_COUNT=$((scripts / shards)) \
      later "fuzz_test.$shard" build/tests/fuzz_test
  done
  join
}

# What is small enough to run some fifty times slower.
sanitize_part() {
  local tool check
  if [[ $backend == twin ]]; then
    say "sanitize: nothing of CUDA runs; for the twin: \`cmake --workflow --preset asan\`"
    return
  fi
  if ! command -v compute-sanitizer >/dev/null; then
    say "sanitize: skipped, compute-sanitizer is not on PATH and could not be fetched"
    skipped+=(sanitize)
    return
  fi
  for tool in memcheck racecheck initcheck synccheck; do
    check=(compute-sanitizer --tool "$tool" --error-exitcode 1 --report-api-errors no
      --target-processes application-only)
    later "$tool.atomics" "${check[@]}" build/tests/atomic_test
    later "$tool.tables" "${check[@]}" build/windrow bench --backend cuda --rows 3000 --rounds 1 \
      --keys 100 --windows tumbling,sliding,session --late 0,10
    WINDROW_FUZZ_SEED=9 WINDROW_FUZZ_COUNT=20 \
      later "$tool.scripts" "${check[@]}" build/tests/fuzz_test
    join
  done
}

# Readings, with what they were read on, to be kept in git; those of the twin say nothing.
bench_part() {
  local results=$logs/results rows=4000000 first=(--commit "$commit")
  if [[ $backend == cuda ]]; then results=bench/results/$(date -u +%F)-$commit; fi
  mkdir -p "$results"
  if [[ -n $quick ]]; then first+=(--quick); fi
  if [[ $backend == twin ]]; then rows=20000 first+=(--host); fi
  record "$results/bench.jsonl" build/windrow bench --backend "$backend" --rows "$rows" --json
  if [[ -x build/bench/gpu_first ]]; then
    record "$results/gpu_first.jsonl" build/bench/gpu_first "${first[@]}"
  fi
  if [[ -z $quick ]]; then
    record "$results/matrix.jsonl" build/windrow bench --backend "$backend" --rows "$rows" \
      --rounds 1 --windows tumbling,session --keys 100,10000,1000000,100000000 \
      --skew uniform,zipf-1.0,zipf-1.5 --json
  fi
  say "readings are in $results"
}
# record FILE COMMAND...: what it prints is the reading.
record() {
  local file=$1
  shift
  # shellcheck disable=SC2016
  step "$(basename "$file" .jsonl)" bash -c 'out=$1; shift; exec "$@" >"$out"' bash "$file" "$@"
}

# part NAME SHARE: percent of the time.
part() {
  say "--- $1"
  deadline=$((SECONDS + budget * $2 / 100))
  "$1_part"
}
budget=600
if [[ -n $quick ]]; then budget=300; fi
budget=${WINDROW_GPU_SECONDS:-$budget}
case ${#parts[@]} in
  0)
    part test 45
    part sanitize 25
    part bench 30
    ;;
  *) for name in "${parts[@]}"; do part "$name" $((100 / ${#parts[@]})); done ;;
esac
say "$SECONDS s; failed: ${failed[*]:-none}; skipped: ${skipped[*]:-none}"
((${#failed[@]} == 0))
