#!/bin/sh
# Puts a backup in place of what the stack holds now, and starts the stack.
#   compose/restore.sh FOLDER
# Everything that came after the backup is lost; what is searched is made again from the documents, beside the answers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder="${1:?which backup? compose/restore.sh FOLDER}"

refuse() { echo "restore: $*" >&2; exit 1; }
compose() { docker compose -f "$here/compose.yaml" "$@"; }
# restore NAME COMMAND…: the command reads the file.
restore() {
    name="$1"; shift
    printf '  %-22s ' "$name"
    if ! "$@" <"$folder/$name" >"$said" 2>&1; then
        echo failed; tail -n 5 "$said" >&2
        refuse "$name could not be put back; nothing is lost in the backup: mend it and run this again"
    fi
    echo done
}

[ -f "$folder/SHA256SUMS" ] || refuse "$folder is no whole backup: it has no SHA256SUMS"
(cd "$folder" && sha256sum --check --quiet SHA256SUMS) || refuse "a file of $folder is not what was saved"
said=$(mktemp); trap 'rm -f "$said"' EXIT
bucket="${NEXUS_S3_BUCKET:-nexus}"

echo "Putting $folder back"
compose down --timeout 20 >"$said" 2>&1 || { cat "$said" >&2; refuse "the stack does not stop"; }
restore secrets.tar compose run --rm --no-deps -T provisioning sh -c \
    'mkdir -p -m 700 /secrets/generated && tar -C /secrets/generated -xf -'
compose up --detach --wait postgres minio >"$said" 2>&1 || { tail -n 5 "$said" >&2; refuse "the stores do not start"; }
# A database from before the backup may know another password; on its own socket it asks for none.
compose exec -T postgres sh -c 'psql --quiet --username nexus --set password="$(cat "$POSTGRES_PASSWORD_FILE")"' \
    >"$said" 2>&1 <<'END' || { cat "$said" >&2; refuse "the database does not take its password"; }
ALTER ROLE nexus PASSWORD :'password';
END
for name in gateway rag ingest trainer alert_bridge mlflow; do
    restore "$name.dump" compose exec -T postgres sh -c \
        "dropdb --username nexus --maintenance-db nexus --if-exists --force $name && createdb --username nexus --maintenance-db nexus $name && pg_restore --username nexus --exit-on-error --dbname $name"
done
compose run --rm -T buckets >"$said" 2>&1 || { tail -n 3 "$said" >&2; refuse "the buckets cannot be made"; }
for name in "$bucket" mlflow; do
    restore "$name.tar" compose run --rm --no-deps -T buckets python -m ingest bucket restore "$name" - --delete-others
done
for name in serving runs; do
    restore "$name.tar" compose run --rm --no-deps -T trainer sh -c \
        "cd /var/lib/nexus/$name && find . -mindepth 1 -delete && tar -xf -"
done
echo "Starting the stack"
compose up --detach --wait >"$said" 2>&1 || { tail -n 5 "$said" >&2; refuse "the stack does not become ready: docker compose ps"; }
compose exec -T ingest-worker python -m ingest reconcile
echo "Back. compose/env.sh tells the addresses and the key."
