#!/bin/sh
# Puts a backup in place of what the stack holds now, and starts the stack.
#   compose/restore.sh FOLDER
# Everything that came after the backup is lost; what is searched is made again from the documents, beside the answers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
command=restore
. "$here/saving.sh"
folder="${1:?which backup? compose/restore.sh FOLDER}"

# restore NAME COMMAND…: the command reads the file.
restore() {
    name="$1"; shift
    printf '  %-22s ' "$name"
    if ! "$@" <"$folder/$name" >"$said" 2>&1; then
        echo failed; tail -n 5 "$said" >&2
        refuse "$name could not be put back; the backup is whole: mend what is in the way, and run this again"
    fi
    echo done
}

# quietly WHAT COMMAND…: what the command says is of interest only when it fails.
quietly() {
    what="$1"; shift
    "$@" >"$said" 2>&1 || { tail -n 5 "$said" >&2; refuse "$what"; }
}

[ -f "$folder/SHA256SUMS" ] || refuse "$folder is no whole backup: it has no SHA256SUMS"
(cd "$folder" && sha256sum --check --quiet SHA256SUMS) || refuse "a file of $folder is not what was saved"
look
said=$(mktemp); trap 'rm -f "$said"' EXIT

echo "Putting $folder in the place of what the stack $project holds"
quietly "the stack does not stop" compose down --timeout 20
restore secrets.tar compose run --rm --no-deps -T provisioning sh -c \
    'mkdir -p -m 700 /secrets/generated && tar -C /secrets/generated -xf -'
quietly "the stores do not start" compose up --detach --wait postgres minio
# A database from before the backup may know another password; on its own socket it asks for none.
quietly "the database does not take its password" compose exec -T postgres sh -c \
    'psql --quiet --set ON_ERROR_STOP=1 --username nexus --set password="$(cat "$POSTGRES_PASSWORD_FILE")"' <<'END'
ALTER ROLE nexus PASSWORD :'password';
END
for name in $databases; do
    restore "$name.dump" compose exec -T postgres sh -euc "
        dropdb --username nexus --maintenance-db nexus --if-exists --force $name
        createdb --username nexus --maintenance-db nexus $name
        pg_restore --username nexus --exit-on-error --dbname $name"
done
quietly "the bucket of documents cannot be made" compose run --rm -T buckets
restore documents.tar compose run --rm --no-deps -T buckets python -m ingest bucket restore "$bucket" - --delete-others
restore mlflow.tar compose run --rm --no-deps -T buckets python -m ingest bucket restore mlflow - --delete-others
for name in serving runs; do
    restore "$name.tar" compose run --rm --no-deps -T trainer sh -c \
        "cd /var/lib/nexus/$name && find . -mindepth 1 -delete && tar -xf -"
done
echo "Starting the stack"
quietly "the stack does not become ready: docker compose ps" compose up --detach --wait
compose exec -T ingest-worker python -m ingest reconcile
echo "Back. compose/env.sh tells the addresses and the key."
