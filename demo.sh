#!/usr/bin/env bash
# Runs a demo: ./demo.sh [name] [options]. Without a name, the bank.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/scripts/lib.sh"

demo=bank
if [ $# -gt 0 ] && [[ "$1" != -* ]]; then
  demo=$1
  shift
fi

case $demo in
  bank) project=samples/Bank ;;
  fencing) project=samples/NightlyReport ;;
  inventory) project=samples/Inventory ;;
  payments) project=samples/Payments ;;
  orders) project=samples/Orders ;;
  *) fail "There is no demo '$demo'. Demos: bank (transfers between accounts by several processes; ./demo.sh bank --help), fencing (a worker that is frozen past the time of its lock), inventory (stock and invoice numbers under a storm of processes), payments (a web server under a storm of duplicated clicks), orders (order, payment and shipment over RabbitMQ, with kills)" ;;
esac

need_dotnet
need_postgres
[ "$demo" != orders ] || need_rabbitmq

say "Building"
dotnet build "$project" -c Release --nologo -v quiet -clp:NoSummary >&2
exec dotnet run --project "$project" -c Release --no-build -- "$@"
