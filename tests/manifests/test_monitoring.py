"""What Prometheus' operator is given is what monitoring/ has, and the programs that read it in the end can read it."""

import json
import subprocess
import sys
from pathlib import Path
from string import Template

import pytest
import yaml

from tests.manifests.rendering import CHECKOUT, K8S, Manifest, named, of_kind, overlay, render
from tests.monitoring import exported
from tests.monitoring.promql import check

MONITORING = CHECKOUT / "monitoring"
RULE = K8S / "base" / "monitoring" / "prometheus-rule.yaml"
LARGEST_CONFIG_MAP = 1024 * 1024


def test_the_rules_are_those_of_monitoring() -> None:
    """Stale? `make rules` writes them anew."""
    made = subprocess.run(
        [sys.executable, "-m", "provisioning", "rules"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert RULE.read_text() == made.stdout


def test_prometheus_reads_the_rules(tmp_path: Path) -> None:
    groups = named(overlay("dev"), "PrometheusRule", "nexus")["spec"]
    assert len(groups["groups"]) >= 6
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(groups))
    done = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def as_alertmanager_reads_it(config: Manifest) -> dict[str, object]:
    """What the operator makes of an AlertmanagerConfig that matches on nothing else, with its secret in a file."""
    receivers = []
    for receiver in config["spec"]["receivers"]:
        hooks = [
            {
                "url": hook["url"],
                "send_resolved": hook["sendResolved"],
                "http_config": {
                    "authorization": {
                        "type": hook["httpConfig"]["authorization"]["type"],
                        "credentials_file": f"/etc/secrets/{hook['httpConfig']['authorization']['credentials']['key']}",
                    }
                },
            }
            for hook in receiver.get("webhookConfigs", [])
        ]
        receivers.append({"name": receiver["name"], **({"webhook_configs": hooks} if hooks else {})})
    return {"route": _route(config["spec"]["route"]), "receivers": receivers}


def _route(route: Manifest) -> dict[str, object]:
    words = {"groupBy": "group_by", "groupWait": "group_wait", "groupInterval": "group_interval"}
    told: dict[str, object] = {"receiver": route["receiver"], "repeat_interval": route["repeatInterval"]}
    told |= {theirs: route[ours] for ours, theirs in words.items() if ours in route}
    if "matchers" in route:
        told["matchers"] = [f'{one["name"]}{one["matchType"]}"{one["value"]}"' for one in route["matchers"]]
    if "routes" in route:
        told["routes"] = [_route(one) for one in route["routes"]]
    return told


def test_alertmanager_reads_its_configuration(tmp_path: Path) -> None:
    config = as_alertmanager_reads_it(named(overlay("dev"), "AlertmanagerConfig", "nexus"))
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    done = subprocess.run(
        ["amtool", "check-config", tmp_path / "alertmanager.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_is_told_the_same_as_everywhere() -> None:
    profile = yaml.safe_load((MONITORING / "profiles" / "production.yml").read_text())["alertmanager"]
    text = Template((MONITORING / "alertmanager.yml.tmpl").read_text()).substitute(
        profile, alert_bridge="alert-bridge:8084", webhook_token_file="/etc/secrets/nexus_webhook_token"
    )
    assert as_alertmanager_reads_it(named(overlay("dev"), "AlertmanagerConfig", "nexus")) == yaml.safe_load(text)


def test_every_part_that_is_watched_elsewhere_is_watched_here() -> None:
    jobs = {
        job["job_name"] for job in yaml.safe_load((MONITORING / "prometheus.yml.tmpl").read_text())["scrape_configs"]
    }
    watched = {one["metadata"]["name"] for one in of_kind(overlay("dev"), "ServiceMonitor")}
    assert jobs <= watched


@pytest.mark.parametrize("name", ["gateway", "ingest-worker", "rag", "triton"])
def test_a_scaler_asks_for_series_that_exist(name: str) -> None:
    known = exported.known()
    triggers = named(overlay("staging"), "ScaledObject", name)["spec"]["triggers"]
    queries = [trigger["metadata"]["query"] for trigger in triggers if trigger["type"] == "prometheus"]
    assert queries
    for query in queries:
        check(query, known)


def test_every_dashboard_is_a_config_map_that_fits() -> None:
    files = {path.name: path.read_text() for path in (MONITORING / "dashboards").glob("*.json")}
    maps = render(MONITORING / "dashboards")
    assert {key: text for one in maps for key, text in one["data"].items()} == files
    assert all(len(json.dumps(one).encode()) < LARGEST_CONFIG_MAP for one in maps)
    assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in maps)


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_grafana_finds_the_prometheus_of_each_environment(name: str) -> None:
    source = named(overlay(name), "ConfigMap", "nexus-grafana-datasource")
    assert source["metadata"]["labels"]["grafana_datasource"] == "1"
    (about,) = yaml.safe_load(source["data"][f"nexus-{name}.yaml"])["datasources"]
    assert about["url"] == f"http://prometheus.nexus-{name}:9090"
