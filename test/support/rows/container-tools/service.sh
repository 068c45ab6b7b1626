#!/bin/sh
# A service of mem0-stack within a container, of nothing but busybox: `mem0`, or `mcp` with an autonomous worker beside it.
# What it goes by, its .env file among it, is read when it starts; from that follows what it exports.
# Usage: service.sh ROLE PORT
role=$1
port=$2
case $role in
  mem0) env=/app/.env keys='ENABLE_CACHING=true\nAUTONOMOUS_MODE=true\n' ;;
  *) env=/usr/src/openmemory/.env keys='' ;;
esac
grep -q ENABLE_CACHING "$env" || printf "\n$keys" >> "$env"
. "$env"
SERVER_REFUSES=$(sed -n 's/^REFUSES = //p' /stack/openmemory/api/app/mcp_server.py)
DEDUPLICATION_FAULTS=$(sed -n 's/^FAULTS = //p' /memory/memory.py)
SEARCH_FAULTS=$(sed -n 's/^FAULTS = //p' /memory/search.py)

mkdir -p /www/cgi-bin
for page in health memories search state memory metrics scrapes; do
  cp /tools/page.sh "/www/cgi-bin/$page"
  chmod 755 "/www/cgi-bin/$page"
done
: > /tmp/failures
for name in ENABLE_CACHING AUTONOMOUS_MODE WORKERS CACHE_MODE POOL_MAX RELEASE SERVER_REFUSES DEDUPLICATION_FAULTS SEARCH_FAULTS; do
  eval "echo $name=\$$name"
done > /tmp/state
operations=0 lookups=0 hits=0 errors=0 refused=0 timeouts=0 duplicates=0 searches=0
trap 'exit 0' TERM

export_figures() {
  cat > /tmp/metrics.new << EOF
mem0_operation_seconds_bucket{le="0.05"} $operations
mem0_operation_seconds_bucket{le="0.2"} $operations
mem0_operation_seconds_bucket{le="+Inf"} $operations
mem0_operations_total{result="success"} $operations
mem0_cache_lookups_total $lookups
mem0_cache_hits_total $hits
mem0_cache_errors_total $errors
mem0_pool_connections_in_use 10
mem0_pool_connections_max $POOL_MAX
mem0_pool_timeouts_total $timeouts
mem0_deduplication_errors_total $duplicates
mem0_search_timeouts_total $searches
EOF
}

export_connections() {
  cat > /tmp/metrics.new << EOF
mcp_connection_errors_total $refused
mcp_timeouts_total 0
mcp_autonomous_failures_total $(wc -l < /tmp/failures)
EOF
}

if [ "$role" = mcp ] && [ "$AUTONOMOUS_MODE" = true ]; then sh /tools/autonomous.sh & fi
# Answers once there is something to export.
httpd -p "127.0.0.1:$port" -h /www
while :; do
  operations=$((operations + 20))
  if [ "$ENABLE_CACHING" = true ]; then
    lookups=$((lookups + 10))
    case $CACHE_MODE in good) hits=$((hits + 9)) ;; *) hits=$((hits + 2)) ;; esac
  fi
  if [ "$CACHE_MODE" = broken ]; then errors=$((errors + 1)); fi
  refused=$((refused + SERVER_REFUSES))
  duplicates=$((duplicates + DEDUPLICATION_FAULTS)) searches=$((searches + SEARCH_FAULTS))
  # The client, somewhere else, does what its settings say.
  if [ "$role" = mcp ] && grep -q unattended /client/mcp_settings.json; then echo failed >> /tmp/failures; fi
  if [ "$role" = mem0 ]; then export_figures; else export_connections; fi
  mv /tmp/metrics.new /tmp/metrics
  sleep 0.5 &
  wait $!
done
