#!/usr/bin/env bash
# Builds everything and runs all tests. The last line is "N passed, N failed, N skipped", summed from the result files.
# Arguments go to "dotnet test", for example: ./test.sh --filter "FullyQualifiedName~RetryOnConflict"
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/scripts/lib.sh"

need_dotnet
need_postgres
need_faketime
need_pgbouncer
need_tmux
need_rabbitmq
need_prometheus

results=artifacts/test-results
rm -rf "$results"

say "Building"
dotnet build EfConcurrency.sln -c Release --nologo -v quiet -clp:NoSummary

status=0
for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  say "$name"
  dotnet test "$project" -c Release --no-build --nologo --logger "trx;LogFileName=$name.trx" --results-directory "$results" "$@" || status=$?
done

total() { # attribute of <Counters> in the result files
  { grep -ho "<Counters [^>]*" "$results"/*.trx 2>/dev/null || true; } | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ sum += $1 } END { print sum + 0 }'
}
passed=$(total passed) executed=$(total executed) all=$(total total)
failed=$((executed - passed)) skipped=$((all - executed))

[ "$failed" -eq 0 ] || status=1
if [ "$passed" -eq 0 ]; then
  say "No test ran."
  status=1
fi
if [ "${CI:-}" = true ] && [ "$skipped" -gt 0 ]; then
  say "Under CI nothing may be skipped."
  status=1
fi

printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
exit "$status"
