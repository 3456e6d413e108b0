#!/bin/sh
# Saves what cannot be made again, while everything runs: databases, objects, readers and runs, and the secrets.
#   compose/backup.sh [FOLDER]      by default backups/<time>
# Vectors are left out: they are made again from the documents and the vectors that ingest keeps in its database.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
folder="${1:-backups/$(date -u +%Y-%m-%dT%H%M%SZ)}"

refuse() { echo "backup: $*" >&2; exit 1; }
compose() { docker compose -f "$here/compose.yaml" "$@"; }

# save NAME COMMAND…: what the command prints, whole or not at all.
save() {
    name="$1"; shift
    printf '  %-22s ' "$name"
    if ! "$@" >"$folder/$name.part" 2>"$folder/.said"; then
        echo failed; tail -n 3 "$folder/.said" >&2
        refuse "$name could not be saved; is the stack running? docker compose ps"
    fi
    mv "$folder/$name.part" "$folder/$name"
    du -h "$folder/$name" | cut -f1
}

[ ! -e "$folder" ] || refuse "$folder is there already"
mkdir -p "$folder"
echo "Saving into $folder"
# Databases before objects: what a database knows of is in the bucket then, and what came later is noticed as new.
for name in gateway rag ingest trainer alert_bridge mlflow; do
    save "$name.dump" compose exec -T postgres pg_dump --username nexus --format custom "$name"
done
for bucket in "${NEXUS_S3_BUCKET:-nexus}" mlflow; do
    save "$bucket.tar" compose exec -T ingest python -m ingest bucket save "$bucket" -
done
save serving.tar compose exec -T trainer tar -C /var/lib/nexus/serving -cf - .
save runs.tar compose exec -T trainer tar -C /var/lib/nexus/runs -cf - .
save secrets.tar compose run --rm --no-deps -T provisioning tar -C /secrets/generated -cf - .
rm -f "$folder/.said"
(cd "$folder" && sha256sum -- *.dump *.tar >SHA256SUMS)
echo "Saved. It holds the stack's passwords: keep it as you keep those. Back with: make restore FROM=$folder"
