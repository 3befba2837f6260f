# Sourced by fixtures that run a command beside a real server: what they say where there is none.
say() { echo "$(basename "$0" .sh): $*" >&2; }
give_up() {
  if [[ -n ${CI:-} ]]; then
    say "FAILED, since CI is set: $*"
    exit 1
  fi
  say "SKIPPED: $*"
  exit 77
}
