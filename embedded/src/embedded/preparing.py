"""Everything the parts find on disk when they start."""

from pathlib import Path
from string import Template

from embedded.secrets_folder import Secrets, open_secrets, write_private
from embedded.stack import BASE_PORTS, Stack
from embedded.variables import as_env_file, published

_TEMPLATES = ("prometheus.yml", "alertmanager.yml")


def prepare(stack: Stack) -> Secrets:
    """Folders, secrets, `.nexus/env`, and what Prometheus and Alertmanager read. Safe to repeat at any time."""
    # The parts' own folders, and the place where people drop documents of the default knowledge base.
    for folder in (stack.run, stack.logs, stack.databases, stack.state / "redis", stack.state / "mlflow"):
        folder.mkdir(parents=True, exist_ok=True)
    (stack.documents / "default" / "default").mkdir(parents=True, exist_ok=True)
    secrets = open_secrets(stack.state / "secrets")
    write_private(stack.env_file, as_env_file(published(stack, secrets)))
    rendered = stack.state / "monitoring"
    rendered.mkdir(exist_ok=True)
    for name in _TEMPLATES:
        template = (stack.checkout / "monitoring" / f"{name}.tmpl").read_text()
        (rendered / name).write_text(render(template, stack, secrets.webhook_token_file))
    return secrets


def render(template: str, stack: Stack, webhook_token_file: Path) -> str:
    """Fill in where everything is; a name the template has and we do not is a mistake."""
    addresses = {name.replace("-", "_"): stack.address(name) for name in BASE_PORTS}
    return Template(template).substitute(
        addresses, rules=stack.checkout / "monitoring" / "rules", webhook_token_file=webhook_token_file
    )
