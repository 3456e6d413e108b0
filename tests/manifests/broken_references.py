"""Mistakes in what manifests mention: names, keys, selectors, ports, addresses, commands, settings."""

from tests.manifests.breaking import Break, container, deployment, remove, settings, sources, variable
from tests.manifests.rendering import named

REFERENCES: dict[str, Break] = {
    # names
    "a ConfigMap of another name": Break(
        "missing_config_maps",
        "there is no ConfigMap nexus-setings",
        lambda all_: container(all_, "rag")["envFrom"][0]["configMapRef"].update(name="nexus-setings"),
    ),
    "a key that a ConfigMap lacks": Break(
        "missing_config_maps",
        "has no key RELEASES",
        lambda all_: variable(all_, ("Job", "release"), "RELEASE")["valueFrom"]["configMapKeyRef"].update(
            key="RELEASES"
        ),
    ),
    "a Secret of another name": Break(
        "missing_secrets",
        "there is no Secret nexus-rags",
        lambda all_: sources(all_, "rag")[0]["secret"].update(name="nexus-rags"),
    ),
    "a key that a Secret lacks": Break(
        "missing_secrets",
        "has no key nexus_webhook",
        lambda all_: named(all_, "AlertmanagerConfig", "nexus")["spec"]["receivers"][1]["webhookConfigs"][0][
            "httpConfig"
        ]["authorization"]["credentials"].update(key="nexus_webhook"),
    ),
    "a file of a Secret that it lacks": Break(
        "missing_secrets",
        "has no key nexus_tokn",
        lambda all_: sources(all_, "rag")[0]["secret"].update(items=[{"key": "nexus_tokn", "path": "nexus_tokn"}]),
    ),
    "a service account that is gone": Break(
        "missing_service_accounts",
        "there is no ServiceAccount trainer",
        lambda all_: remove(all_, "ServiceAccount", "trainer"),
    ),
    "a role that is gone": Break(
        "missing_roles",
        "there is no Role prometheus",
        lambda all_: remove(all_, "Role", "prometheus"),
    ),
    "a claim that is gone": Break(
        "missing_volumes",
        "there is no PersistentVolumeClaim serving",
        lambda all_: remove(all_, "PersistentVolumeClaim", "serving"),
    ),
    "a mount of no volume": Break(
        "missing_volumes",
        "mounts secret, which is no volume",
        lambda all_: container(all_, "gateway")["volumeMounts"][1].update(name="secret"),
    ),
    # selectors and ports
    "a Service that selects nobody": Break(
        "selectors_that_select_nothing",
        "Service/rag: selects no pod",
        lambda all_: named(all_, "Service", "rag")["spec"]["selector"].update({"app.kubernetes.io/name": "rags"}),
    ),
    "a budget that protects nobody": Break(
        "selectors_that_select_nothing",
        "PodDisruptionBudget/ui: selects no pod",
        lambda all_: named(all_, "PodDisruptionBudget", "ui")["spec"]["selector"]["matchLabels"].update(
            {"app.kubernetes.io/name": "chat"}
        ),
    ),
    "pods that their Deployment does not know": Break(
        "selectors_that_select_nothing",
        "Deployment/gateway: does not select its own pods",
        lambda all_: deployment(all_, "gateway")["metadata"]["labels"].update({"app.kubernetes.io/name": "door"}),
    ),
    "a target port of no container": Break(
        "missing_ports",
        "Service/trainer: Deployment/trainer has no port web",
        lambda all_: named(all_, "Service", "trainer")["spec"]["ports"][0].update(targetPort="web"),
    ),
    "a probe at no port": Break(
        "missing_ports",
        "the readinessProbe of ingest asks at web",
        lambda all_: container(all_, "ingest")["readinessProbe"]["httpGet"].update(port="web"),
    ),
    "a monitor of a port that is not there": Break(
        "missing_ports",
        "ServiceMonitor/triton: Service/triton has no port http-metrics",
        lambda all_: named(all_, "ServiceMonitor", "triton")["spec"]["endpoints"][0].update(port="http-metrics"),
    ),
    "a monitor of nobody": Break(
        "missing_ports",
        "ServiceMonitor/rag: selects no Service",
        lambda all_: named(all_, "ServiceMonitor", "rag")["spec"]["selector"]["matchLabels"].update(
            {"app.kubernetes.io/name": "rags"}
        ),
    ),
    "an Ingress to nowhere": Break(
        "missing_ports",
        "there is no gateway with a port web",
        lambda all_: named(all_, "Ingress", "gateway")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"][
            "port"
        ].update(name="web"),
    ),
    "a scaler of nobody": Break(
        "missing_scale_targets",
        "there is no Deployment tritons",
        lambda all_: named(all_, "ScaledObject", "triton")["spec"]["scaleTargetRef"].update(name="tritons"),
    ),
    "an address that nobody has": Break(
        "missing_addresses",
        "there is no Service trainers",
        lambda all_: settings(all_).update(NEXUS_TRAINER_URL="http://trainers:8083"),
    ),
    "an address at another port": Break(
        "missing_addresses",
        "rag has no port 8082, but [8081]",
        lambda all_: settings(all_).update(NEXUS_RAG_URL="http://rag:8082"),
    ),
    "a webhook to nowhere": Break(
        "missing_addresses",
        "there is no Service alert-bridges",
        lambda all_: named(all_, "AlertmanagerConfig", "nexus")["spec"]["receivers"][1]["webhookConfigs"][0].update(
            url="http://alert-bridges:8084/webhooks/alertmanager"
        ),
    ),
    "an event source that is gone": Break(
        "missing_addresses",
        "there is no Service retraining-eventsource-svc",
        lambda all_: remove(all_, "EventSource", "retraining"),
    ),
    # commands and settings
    "a sub-command that is not there": Break(
        "unknown_commands",
        "python -m trainer has no sub-command adop",
        lambda all_: named(all_, "Job", "release")["spec"]["template"]["spec"]["containers"][0].update(
            command=["python", "-m", "trainer", "adop"]
        ),
    ),
    "an option that is not there": Break(
        "unknown_commands",
        "has no option --releas",
        lambda all_: named(all_, "Job", "release")["spec"]["template"]["spec"]["containers"][0].update(
            args=["--releas", "own"]
        ),
    ),
    "a factory that is not there": Break(
        "unknown_commands",
        "gateway.app defines no create",
        lambda all_: container(all_, "gateway").update(command=["uvicorn", "--factory", "gateway.app:create"]),
    ),
    "a module that is not there": Break(
        "unknown_commands",
        "there is no module rag.apps",
        lambda all_: container(all_, "rag").update(command=["uvicorn", "--factory", "rag.apps:create_app"]),
    ),
    "a variable that a service lacks": Break(
        "misunderstood_variables",
        "gateway has no setting NEXUS_DRAIN_SECOND",
        lambda all_: variable(all_, ("Deployment", "gateway"), "NEXUS_DRAIN_SECONDS").update(name="NEXUS_DRAIN_SECOND"),
    ),
    "a shared setting of nobody": Break(
        "settings_of_nobody",
        "no service has a setting NEXUS_REDIS",
        lambda all_: settings(all_).update(NEXUS_REDIS="x"),
    ),
    "a value that a service refuses": Break(
        "unreadable_settings",
        "Deployment/ingest: store",
        lambda all_: settings(all_).update(NEXUS_STORE="tape"),
    ),
    "a secret that a service needs": Break(
        "unreadable_settings",
        "Deployment/alert-bridge: webhook_token",
        lambda all_: sources(all_, "alert-bridge")[0]["secret"].update(name="nexus-rag"),
    ),
    "a secret that nobody reads": Break(
        "misunderstood_files",
        "rag reads no file nexus_trainer_database_url",
        lambda all_: sources(all_, "rag")[0]["secret"].update(name="nexus-trainer"),
    ),
}
