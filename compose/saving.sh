# What backup.sh and restore.sh share: which stack it is, and whether all that it keeps is kept by its own containers.
# Of another stack than that of the committed .env: COMPOSE_ENV_FILES=second.env, as for docker compose itself.
databases="gateway rag ingest trainer alert_bridge mlflow"

refuse() { echo "$command: $*" >&2; exit 1; }
compose() { docker compose -f "$here/compose.yaml" "$@"; }

# Shows the project's name, and refuses where somebody else's server would be saved or overwritten.
look() {
    settings=$(compose config --format json) || refuse "the settings cannot be read (see above)"
    project=$(printf '%s' "$settings" | setting name)
    bucket=$(printf '%s' "$settings" | setting NEXUS_S3_BUCKET)
    secrets=$(printf '%s' "$settings" | grep -B 1 '"target": "/provided"' | sed -n 's/.*"source": "\(.*\)".*/\1/p')
    [ "$(printf '%s' "$settings" | setting NEXUS_S3_ENDPOINT)" = minio:9000 ] &&
        [ "$(printf '%s' "$settings" | setting MLFLOW_S3_ENDPOINT_URL)" = http://minio:9000 ] ||
        refuse "objects are kept by a server of your own: save it, and the databases, with its own tools"
    for provided in "$secrets"/*_database_url "$secrets"/mlflow_backend_store_uri; do
        [ ! -e "$provided" ] || refuse "a database is a server of your own ($provided): save it with its own tools"
    done
}

# The first value of that name.
setting() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" | head -n 1; }
