"""Everything the parts find on disk when they start."""

from pathlib import Path
from string import Template

from embedded.alert_rules import with_profile
from embedded.secrets_folder import Secrets, open_secrets, write_private
from embedded.stack import BASE_PORTS, Stack
from embedded.variables import as_env_file, published

_TEMPLATES = ("prometheus.yml", "alertmanager.yml")


def prepare(stack: Stack) -> Secrets:
    """Folders, secrets, `.nexus/env`, and what Prometheus and Alertmanager read. For a stack that is to be started; of
    one that runs it would change what its parts read at their next restart."""
    # The parts' own folders, and the place where people drop documents of the default knowledge base.
    for folder in (stack.run, stack.logs, stack.databases, stack.state / "redis", stack.state / "mlflow"):
        folder.mkdir(parents=True, exist_ok=True)
    (stack.documents / "default" / "default").mkdir(parents=True, exist_ok=True)
    secrets = open_secrets(stack.secrets)
    write_private(stack.env_file, as_env_file(published(stack, secrets)))
    rendered = stack.state / "monitoring"
    _write_rules(stack, rendered / "rules")
    for name in _TEMPLATES:
        template = (stack.checkout / "monitoring" / f"{name}.tmpl").read_text()
        (rendered / name).write_text(render(template, stack, secrets.webhook_token_file))
    return secrets


def _write_rules(stack: Stack, folder: Path) -> None:
    files = sorted((stack.checkout / "monitoring" / "rules").glob("*.yml"))
    rules = with_profile({file.name: file.read_text() for file in files}, stack.profile)
    folder.mkdir(parents=True, exist_ok=True)
    for gone in {file.name for file in folder.glob("*.yml")} - rules.keys():
        (folder / gone).unlink()
    for name, text in rules.items():
        (folder / name).write_text(text)


def render(template: str, stack: Stack, webhook_token_file: Path) -> str:
    """Fill in where everything is and how fast it acts; a name the template has and we do not is a mistake."""
    addresses = {name.replace("-", "_"): stack.address(name) for name in BASE_PORTS}
    return Template(template).substitute(
        addresses | dict(stack.profile.alertmanager),
        rules=stack.state / "monitoring" / "rules",
        webhook_token_file=webhook_token_file,
    )
