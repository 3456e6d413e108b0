#!/bin/sh
# What people, scripts and tests need to use the stack in containers, one NAME=value a line, as .nexus/env has it:
#   compose/env.sh > compose.env && . ./compose.env        (COMPOSE_PROJECT_NAME=… when it is not named nexus)
set -eu
project="${COMPOSE_PROJECT_NAME:-nexus}"
running=$(docker ps --filter "label=com.docker.compose.project=$project" \
    --format '{{.ID}} {{.Label "com.docker.compose.service"}} {{.Ports}}')

# "… 127.0.0.1:8081->8080/tcp, …" of the service in $2, whose own port is $3.
url() {
    place=$(echo "$running" | awk -v service="$2" '$2 == service' | tr ' ,' '\n\n' | sed -n "s#^\(.*\)->$3/tcp\$#\1#p" | head -n 1)
    [ -z "$place" ] || echo "$1=http://$place" | sed 's/0\.0\.0\.0/127.0.0.1/'
}

gateway=$(echo "$running" | awk '$2 == "gateway" {print $1}')
[ -n "$gateway" ] || { echo "No gateway runs in the project $project: docker compose up -d --wait" >&2; exit 1; }
url NEXUS_URL gateway 8080
echo "NEXUS_API_KEY=$(docker exec "$gateway" cat /run/secrets/nexus/gateway/nexus_bootstrap_key)"
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
