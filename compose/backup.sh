#!/bin/sh
# Saves what cannot be made again, while everything runs: databases, objects, readers and runs, and the secrets.
#   compose/backup.sh [FOLDER]      by default backups/<time>
# Vectors are left out: they are made again from the documents and the vectors that ingest keeps in its database.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
command=backup
. "$here/saving.sh"
folder="${1:-backups/$(date -u +%Y-%m-%dT%H%M%SZ)}"

# save NAME COMMAND…: what the command prints, whole or not at all.
save() {
    name="$1"; shift
    printf '  %-22s ' "$name"
    if ! "$@" >"$folder/$name.part" 2>"$folder/.said"; then
        echo failed; tail -n 3 "$folder/.said" >&2
        refuse "$name could not be saved; is all of it running? docker compose ps"
    fi
    mv "$folder/$name.part" "$folder/$name"
    du -h "$folder/$name" | cut -f1
}

# A folder in which somebody writes meanwhile: tar ends with 1 where a file has changed while it was read, or went.
folder_of_trainer() { compose exec -T trainer sh -c "tar -C /var/lib/nexus/$1 -cf - . || [ \$? -eq 1 ]"; }

look
[ ! -e "$folder" ] || refuse "$folder is there already"
mkdir -p "$folder"
echo "Saving the stack $project into $folder"
# Databases before objects: what a database knows of is in the bucket then, and what came later is noticed as new.
for name in $databases; do
    save "$name.dump" compose exec -T postgres pg_dump --username nexus --format custom "$name"
done
save documents.tar compose exec -T ingest python -m ingest bucket save "$bucket" -
save mlflow.tar compose exec -T ingest python -m ingest bucket save mlflow -
for name in serving runs; do
    save "$name.tar" folder_of_trainer "$name"
done
save secrets.tar compose run --rm --no-deps -T provisioning tar -C /secrets/generated -cf - .
rm -f "$folder/.said"
(cd "$folder" && sha256sum -- *.dump *.tar >SHA256SUMS)
echo "Saved. It holds the stack's passwords: keep it as you keep those. Back with: make restore FROM=$folder"
