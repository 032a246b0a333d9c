#!/usr/bin/env bash
# Measures: ./bench.sh NAME [options]. Prints ratios of medians; see docs/benchmarks.md.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/scripts/lib.sh"

[ $# -gt 0 ] || fail "Usage: ./bench.sh NAME [options]. Benchmarks: versioning, fencing, locks, outbox, idempotency, telemetry"

need_dotnet
need_postgres

say "Building"
dotnet build benchmarks/EfConcurrency.Benchmarks -c Release --nologo -v quiet -clp:NoSummary >&2
exec dotnet run --project benchmarks/EfConcurrency.Benchmarks -c Release --no-build -- "$@"
