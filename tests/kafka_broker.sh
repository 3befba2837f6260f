#!/bin/bash
# Runs a command beside a real Apache Kafka broker: kafka_broker.sh COMMAND...
#
# The broker (one node, KRaft) listens on free ports of the loopback in a directory of its own, both
# gone when COMMAND ends; COMMAND finds its address in BOOTSTRAP_SERVERS, its exit code is ours.
# Without a COMMAND the address is printed and the broker runs until a signal.  The jars are fetched
# once with Maven and kept in build/kafka.  Where Java, Maven or kcat are missing or the jars cannot
# be had: exit code 77 (skipped), or 1 in continuous integration (CI is set), where that must not
# pass unseen.
set -uo pipefail
readonly version=4.4.0
readonly cache=${WINDROW_KAFKA_CACHE:-$(dirname "$(readlink -f "$0")")/../build/kafka}

source "$(dirname "$(readlink -f "$0")")/give_up.sh"

for program in java mvn kcat; do
  command -v "$program" >/dev/null ||
    give_up "no '$program' (Debian: openjdk-17-jre-headless maven kcat)"
done

# One fetch at a time; `lib` gets its name when it is complete.
fetch() {
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
  if [[ ! -d $cache/lib-$version ]]; then
    rm -rf "$cache/part"
    cat >"$cache/pom.xml" <<POM
<project><modelVersion>4.0.0</modelVersion>
  <groupId>windrow</groupId><artifactId>kafka-broker</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>$version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version></dependency>
  </dependencies></project>
POM
    say "fetching Apache Kafka $version (45 MB, once)"
    mvn -q -B -f "$cache/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$cache/part" </dev/null >&2 &&
      mv "$cache/part" "$cache/lib-$version"
  fi
  exec 9>&-
  [[ -d $cache/lib-$version ]]
}
fetch || give_up "Maven cannot fetch Apache Kafka $version"

dir=$(mktemp -d)
broker= command=
clean_up() {
  local pid
  for pid in $command $broker; do
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Free now; somebody else may be faster, then the broker ends at once and we try others.
two_free_ports() {
  /usr/bin/python3 -c 'import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)), b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])'
}

readonly jvm=(-Xmx384m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$cache/lib-$version/*")

# start: sets `broker` and BOOTSTRAP_SERVERS and waits until it answers; 1 if it ended before.
start() {
  local port controller
  read -r port controller < <(two_free_ports)
  BOOTSTRAP_SERVERS=127.0.0.1:$port
  rm -rf "$dir/data"
  cat >"$dir/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data
num.partitions=4
message.max.bytes=104857600
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=250
CONF
  java "${jvm[@]}" kafka.tools.StorageTool format -t abcdefghijklmnopqrstuv \
    -c "$dir/server.properties" >"$dir/format.log" 2>&1 </dev/null || return 1
  # The kernel ends the broker when we are killed without a chance to clean up.
  setpriv --pdeathsig KILL java "${jvm[@]}" kafka.Kafka "$dir/server.properties" \
    >"$dir/server.log" 2>&1 </dev/null &
  broker=$!
  for _ in $(seq 600); do
    kill -0 "$broker" 2>/dev/null || return 1
    kcat -b "$BOOTSTRAP_SERVERS" -L -m 1 2>/dev/null | grep -q 'broker 1 at' && return 0
    sleep 0.1
  done
  return 1
}

for try in 1 2 3; do
  start && break
  [[ -n $broker ]] && kill -9 "$broker" 2>/dev/null
  broker=
  if ((try == 3)); then
    tail -n 20 "$dir"/*.log >&2
    give_up "the broker did not start"
  fi
done

export BOOTSTRAP_SERVERS
if (($# == 0)); then
  echo "$BOOTSTRAP_SERVERS"
  wait "$broker"
  exit
fi
say "Apache Kafka $version is ready at $BOOTSTRAP_SERVERS"
"$@" <&0 &
command=$!
wait "$command"
code=$?
command=
exit "$code"
