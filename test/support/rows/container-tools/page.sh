#!/bin/sh
# What a service answers over HTTP, as a CGI program of busybox.
printf 'Content-Type: text/plain\r\n\r\n'
case $SCRIPT_NAME in
  */metrics)
    echo >> /tmp/scrapes
    cat /tmp/metrics
    ;;
  */scrapes) wc -l < /tmp/scrapes ;;
  # As cAdvisor calls them; 1 GiB would be too much.
  */memory)
    echo "container_memory_working_set_bytes{name=\"$CONTAINER\"} $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1000/p' /proc/1/status)"
    echo "container_spec_memory_limit_bytes{name=\"$CONTAINER\"} 1073741824"
    ;;
  */state) cat /tmp/state ;;
esac
