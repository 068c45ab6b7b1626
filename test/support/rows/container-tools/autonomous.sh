#!/bin/sh
# Work that nobody watches. It fails while the host's file says so.
while :; do
  [ ! -e /faults/autonomy ] || echo failed >> /tmp/failures
  sleep 0.5
done
