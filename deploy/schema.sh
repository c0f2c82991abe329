#!/bin/sh
# Creates Temporal's two databases, or brings their schemas up to this version. Safe to run at every start.
set -eu
: "${POSTGRES_SEEDS:?}" "${POSTGRES_USER:?}" "${SQL_PASSWORD:?}"

sql() {
    temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -u "$POSTGRES_USER" -p "${DB_PORT:-5432}" "$@"
}

for database in temporal visibility; do
    name=temporal
    [ "$database" = visibility ] && name=temporal_visibility
    # Both of these fail where there is something already; what matters is that the update succeeds.
    sql --db "$name" create || true
    sql --db "$name" setup-schema -v 0.0 || true
    sql --db "$name" update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
