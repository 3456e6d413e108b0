#!/bin/sh
# The Secrets of an environment that has no secret store, made up here and printed; they are never in git. Once for each
# environment, for a second time makes other ones, which `kubectl create` refuses:
#   k8s/secrets.sh nexus-dev | kubectl create -f -
set -eu
namespace="${1:?which namespace? k8s/secrets.sh nexus-dev | kubectl create -f -}"

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
internal_token=$(random 24)
webhook_token=$(random 24)
events_token=$(random 24)
argo_events_token=$(random 24)
admin_key="nxs_$(random 24)"
postgres_password=$(random 24)
s3_access_key=$(random 8)
s3_secret_key=$(random 24)
database() { echo "postgresql+psycopg://nexus:$postgres_password@postgres:5432/$1"; }

# secret NAME [TYPE] reads KEY=VALUE lines.
secret() {
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\ntype: %s\nstringData:\n' \
        "$1" "$namespace" "${2:-Opaque}"
    sed -n 's/^\([A-Za-z0-9_]*\)=\(.*\)$/  \1: "\2"/p'
}

secret nexus-gateway <<END
nexus_internal_token=$internal_token
nexus_bootstrap_key=$admin_key
nexus_gateway_database_url=$(database gateway)
END
secret nexus-rag <<END
nexus_internal_token=$internal_token
nexus_rag_database_url=$(database rag)
END
secret nexus-ingest <<END
nexus_internal_token=$internal_token
nexus_ingest_database_url=$(database ingest)
nexus_events_token=$events_token
nexus_s3_access_key=$s3_access_key
nexus_s3_secret_key=$s3_secret_key
END
secret nexus-trainer <<END
nexus_internal_token=$internal_token
nexus_trainer_database_url=$(database trainer)
END
secret nexus-alert-bridge <<END
nexus_internal_token=$internal_token
nexus_alert_bridge_database_url=$(database alert_bridge)
nexus_webhook_token=$webhook_token
nexus_argo_events_token=$argo_events_token
END
secret nexus-ui <<END
nexus_api_key=$admin_key
END
secret nexus-smoke <<END
nexus_api_key=$admin_key
END
secret nexus-mlflow <<END
mlflow_backend_store_uri=$(database mlflow)
aws_access_key_id=$s3_access_key
aws_secret_access_key=$s3_secret_key
END
secret nexus-alertmanager <<END
nexus_webhook_token=$webhook_token
END
secret nexus-argo-events <<END
nexus_argo_events_token=$argo_events_token
nexus_s3_access_key=$s3_access_key
nexus_s3_secret_key=$s3_secret_key
END
secret nexus-minio <<END
rootUser=$s3_access_key
rootPassword=$s3_secret_key
END
secret nexus-milvus <<END
accesskey=$s3_access_key
secretkey=$s3_secret_key
END
secret nexus-postgres kubernetes.io/basic-auth <<END
username=nexus
password=$postgres_password
END
