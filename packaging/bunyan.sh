#!/bin/sh
# Makes the log readable: journalctl -u blockmill@NAME -o cat | /usr/lib/blockmill/bunyan
exec /usr/lib/blockmill/current/runtime/bin/node /usr/lib/blockmill/current/node_modules/bunyan/bin/bunyan "$@"
