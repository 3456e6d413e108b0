#!/bin/sh
# One database for each service that keeps something. Runs once, when the volume is new.
set -eu
for name in gateway rag ingest trainer alert_bridge mlflow; do
    createdb --username "$POSTGRES_USER" --maintenance-db "$POSTGRES_DB" --owner "$POSTGRES_USER" "$name"
done
