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

# Whether packages can be installed without a question.
can_install() { command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_package() { # Debian's name of it
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "$1" >&2
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

  if can_install; then
    say "PostgreSQL is missing: installing Debian's package postgresql (apt-get). No server of the system is started or used."
    # No cluster is made and no service started: the tests start throwaway servers of their own.
    as_root mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    install_package postgresql
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

# A library that lets a test's process live in another time.
need_faketime() {
  ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 && return 0
  can_install || fail "faketime was not found, and this is no system with apt-get and root or sudo. Install it (Fedora: dnf install libfaketime; Arch: pacman -S libfaketime)."
  say "faketime is missing: installing Debian's package faketime (apt-get)."
  install_package faketime
}

# Installs a package without its service being started: neither now (policy-rc.d, which an existing one of the system's own stands in for) nor
# at the next boot (the unit is masked).
install_without_service() { # Debian's name of the package, and of the service
  local policy=/usr/sbin/policy-rc.d unit=/etc/systemd/system/$2.service ours=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    ours=1
  fi
  as_root mkdir -p "${unit%/*}"
  [ -e "$unit" ] || [ -L "$unit" ] || as_root ln -s /dev/null "$unit"

  local status=0
  install_package "$1" || status=$?
  [ -z "$ours" ] || as_root rm -f "$policy"
  [ "$status" -eq 0 ] || fail "Installing $1 failed (see above)."
}

# PgBouncer, which the tests of advisory locks start themselves.
need_pgbouncer() {
  if command -v pgbouncer >/dev/null 2>&1 || [ -x /usr/sbin/pgbouncer ]; then
    return 0
  fi

  can_install || fail "PgBouncer was not found, and this is no system with apt-get and root or sudo. Put pgbouncer on PATH (Fedora: dnf install pgbouncer; Arch: pacman -S pgbouncer; macOS: brew install pgbouncer)."
  say "PgBouncer is missing: installing Debian's package pgbouncer (apt-get). No service is started."
  install_without_service pgbouncer pgbouncer
}

# A terminal for the tests of efc.
need_tmux() {
  command -v tmux >/dev/null 2>&1 && return 0
  can_install || fail "tmux was not found, and this is no system with apt-get and root or sudo. Install it (Fedora: dnf install tmux; Arch: pacman -S tmux; macOS: brew install tmux)."
  say "tmux is missing: installing Debian's package tmux (apt-get)."
  install_package tmux
}

# RabbitMQ's programs, as LocalRabbitMq finds them: tests start brokers of their own. Or a broker named by EFC_RABBITMQ.
need_rabbitmq() {
  if [ -n "${EFC_RABBITMQ:-}" ] || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || [ -x /opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server ]; then
    return 0
  fi

  can_install || fail "RabbitMQ was not found, and this is no system with apt-get and root or sudo. Install it (Fedora: dnf install rabbitmq-server; Arch: pacman -S rabbitmq; macOS: brew install rabbitmq), or set EFC_RABBITMQ to the AMQP URI of a broker that tests may use."
  say "RabbitMQ is missing: installing Debian's package rabbitmq-server (apt-get). No service is started."
  install_without_service rabbitmq-server rabbitmq-server
}

# promtool, Prometheus' checker of rules. It comes with the server, which is not started.
need_prometheus() {
  if command -v promtool >/dev/null 2>&1; then
    return 0
  fi

  can_install || fail "promtool was not found, and this is no system with apt-get and root or sudo. Install Prometheus (Fedora: dnf install golang-github-prometheus; Arch: pacman -S prometheus; macOS: brew install prometheus)."
  say "promtool is missing: installing Debian's package prometheus (apt-get). No service is started."
  install_without_service prometheus prometheus
}
