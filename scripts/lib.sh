#!/usr/bin/env bash
# Shared by the scripts in the repository's root. Source it; it changes to the root.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

say() { printf '%s\n' "== $*" >&2; }

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

need_dotnet() {
  command -v dotnet >/dev/null 2>&1 || fail "The .NET SDK is missing. Install .NET 10 (https://dotnet.microsoft.com/download), then run this again."
}

# Prints the folder of PostgreSQL's programs, as LocalPostgres finds it.
postgres_folder() {
  local folder
  for folder in ${PATH//:/ } $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) /usr/local/pgsql/bin /opt/homebrew/opt/postgresql@*/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
      printf '%s\n' "$folder"
      return 0
    fi
  done
  return 1
}

# PostgreSQL's programs, a server named by EFC_POSTGRES, or Docker. Installs the first where that is possible without a question.
need_postgres() {
  if [ -n "${EFC_POSTGRES:-}" ] || postgres_folder >/dev/null; then
    return 0
  fi

  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  if command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1; }; then
    say "PostgreSQL is missing: installing Debian's package postgresql (apt-get). No server of the system is started or used."
    # No cluster is made and no service started: the tests start throwaway servers of their own.
    $sudo mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || printf 'create_main_cluster = false\n' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold postgresql >&2
    return 0
  fi

  if [ -S /var/run/docker.sock ] || [ -n "${DOCKER_HOST:-}" ]; then
    say "PostgreSQL is not installed: using a container."
    return 0
  fi

  fail "PostgreSQL's programs (initdb, postgres) were not found, and this is no system with apt-get and root or sudo. Do one of these:
  - Fedora, RHEL:  sudo dnf install postgresql-server postgresql-contrib
  - Arch:          sudo pacman -S postgresql
  - macOS:         brew install postgresql@17
  - any system:    start Docker, or set EFC_POSTGRES to the connection string of a server that may be used for tests"
}

# PgBouncer, which the tests of advisory locks start themselves. Installs Debian's package where that is possible without a question.
need_pgbouncer() {
  if command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ]; then
    return 0
  fi

  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
    fail "PgBouncer was not found, and this is no system with apt-get and root or sudo. Put pgbouncer on PATH (Fedora: dnf install pgbouncer; Arch: pacman -S pgbouncer; macOS: brew install pgbouncer)."
  fi

  say "PgBouncer is missing: installing Debian's package pgbouncer (apt-get). No service is started."
  # Neither now (policy-rc.d, which an existing one of the system's own stands in for) nor at the next boot (the unit is masked).
  local policy=/usr/sbin/policy-rc.d unit=/etc/systemd/system/pgbouncer.service ours=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
    ours=1
  fi
  $sudo mkdir -p "${unit%/*}"
  [ -e "$unit" ] || [ -L "$unit" ] || $sudo ln -s /dev/null "$unit"

  local status=0
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2 || status=$?
  [ "$status" -ne 0 ] || $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold pgbouncer >&2 || status=$?
  [ -z "$ours" ] || $sudo rm -f "$policy"
  [ "$status" -eq 0 ] || fail "Installing PgBouncer failed (see above)."
}
