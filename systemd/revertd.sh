#!/bin/sh
# The command `revertd` for people: copied to /usr/local/bin/revertd, as docs/install.md says.
exec /opt/revertd/node_modules/.bin/node --disable-warning=ExperimentalWarning \
  /opt/revertd/node_modules/revertd/dist/main.js "$@"
