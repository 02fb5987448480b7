#!/usr/bin/env bash
# Installs what `cargo bench --bench service` compares metrust with, on Debian and Ubuntu: nginx with
# Lua, Webdis, wrk, Redis, SQLite, and DuckDB in a folder of its own under target/. Nothing that is
# there already is touched. Elsewhere, install the same by hand; the bench says what it misses.
#
# Needs root or sudo for what apt-get must install.
set -euo pipefail
cd "$(dirname "$0")/../.."

duckdb='duckdb==2.0.1'
die() { printf '\npeers.sh: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else die "this needs root or sudo: $*"
  fi
}

missing=()
# need COMMAND PACKAGE
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
# need_file PATTERN PACKAGE
need_file() { compgen -G "$1" >/dev/null || missing+=("$2"); }

PATH="$PATH:/usr/sbin:/sbin"
need nginx nginx
need wrk wrk
need webdis webdis
need redis-server redis-server
need redis-benchmark redis-tools
need sqlite3 sqlite3
need curl curl
need taskset util-linux
need python3 python3
need_file '/usr/lib*/nginx/modules/ngx_http_lua_module.so' libnginx-mod-http-lua
need_file '/usr/share/lua/5.1/*/redis.lua' lua-nginx-redis
if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then missing+=(python3-venv); fi

if [ "${#missing[@]}" -gt 0 ]; then
  command -v apt-get >/dev/null 2>&1 || die "no apt-get here; install by hand: ${missing[*]}"
  # A service that a package brings is of no use here: the bench starts its own.
  quiet=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y)
  as_root "${quiet[@]}" update
  as_root "${quiet[@]}" install --no-install-recommends "${missing[@]}"
fi

folder="${CARGO_TARGET_DIR:-target}/peers/duckdb"
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$duckdb" ]; then
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$duckdb"
  printf '%s\n' "$duckdb" >"$folder/installed"
fi
printf 'all there: nginx with Lua, Webdis, wrk, Redis, SQLite, DuckDB\n'
