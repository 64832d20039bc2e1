#!/bin/sh
# Runs a command of the shop with the two keys that all its processes share.
#
# They are made once, in the volume /state, unless the environment brings its own. Lost,
# MASTER_KEY loses all personal data: keep a copy of it elsewhere.
set -eu

keep() { # FILE COMMAND…: what COMMAND prints, written once whoever comes first
    file=$1
    shift
    if [ ! -s "$file" ]; then
        partial=$(mktemp "$file.XXXXXX")
        "$@" > "$partial"
        # A link never replaces what is there.
        ln "$partial" "$file" 2>/dev/null || true
        rm "$partial"
    fi
    cat "$file"
}

state=${STATE_DIR:-/state}
umask 077
random='import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'
: "${SECRET_KEY:=$(keep "$state/secret_key" python -c "$random")}"
: "${MASTER_KEY:=$(keep "$state/master_key" python -c "$random")}"
export SECRET_KEY MASTER_KEY
exec "$@"
