#!/bin/sh
# What people, scripts and tests need to use the stack in containers, one NAME=value a line, as .nexus/env has it:
#   compose/env.sh > compose.env && . ./compose.env
# Of another stack than that of the committed .env: COMPOSE_ENV_FILES=second.env compose/env.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gateway=$(docker compose -f "$here/compose.yaml" ps --quiet gateway)
[ -n "$gateway" ] || { echo "The gateway does not run: docker compose up -d --wait" >&2; exit 1; }
project=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.project"}}' "$gateway")
running=$(docker ps --filter "label=com.docker.compose.project=$project" \
    --format '{{.Label "com.docker.compose.service"}} {{.ID}}')
key=$(docker exec "$gateway" cat /run/secrets/nexus/gateway/nexus_bootstrap_key)

# url NAME SERVICE PORT: where the service's own port is reached; nothing for one that does not run.
url() {
    container=$(echo "$running" | sed -n "s/^$2 //p" | head -n 1)
    [ -n "$container" ] || return 0
    place=$(docker port "$container" "$3/tcp" | head -n 1)
    echo "$1=http://$place" | sed 's/0\.0\.0\.0/127.0.0.1/'
}

url NEXUS_URL gateway 8080
echo "NEXUS_API_KEY=$key"
url NEXUS_UI_URL ui 8501
url NEXUS_PROMETHEUS_URL prometheus 9090
url NEXUS_ALERTMANAGER_URL alertmanager 9093
url NEXUS_GRAFANA_URL grafana 3000
url NEXUS_MLFLOW_URL mlflow 5000
url NEXUS_TRITON_URL triton 8000
url NEXUS_MILVUS_URL milvus 19530
url NEXUS_S3_URL minio 9000
url NEXUS_RAG_URL rag 8081
url NEXUS_INGEST_URL ingest 8082
url NEXUS_TRAINER_URL trainer 8083
url NEXUS_ALERT_BRIDGE_URL alert-bridge 8084
