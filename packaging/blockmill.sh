#!/bin/sh
exec /usr/lib/blockmill/current/runtime/bin/node /usr/lib/blockmill/current/bin/blockmill "$@"
