"""The alert rules as Kubernetes wants them: one PrometheusRule for Prometheus' operator. Pure: texts in, text out."""

from collections.abc import Mapping
from typing import Any

import yaml


class _Readable(yaml.SafeDumper):
    """Writes a text of several lines as a block, and indents lists, as people do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def manifest(rules: Mapping[str, str], *, name: str, namespace: str | None, labels: Mapping[str, str]) -> str:
    """The groups of all files, in the order of the files' names."""
    metadata: dict[str, Any] = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = dict(labels)
    content = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": [group for file in sorted(rules) for group in yaml.safe_load(rules[file])["groups"]]},
    }
    note = "# Made by `python -m provisioning rules` from monitoring/rules and monitoring/profiles: change those.\n"
    return note + yaml.dump(content, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=120)
