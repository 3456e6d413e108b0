"""Everything the parts find on disk when they start."""

from provisioning import monitoring, whole_files
from provisioning.errors import CannotProvision

from embedded.errors import CannotStart
from embedded.secrets_folder import Secrets, open_secrets
from embedded.stack import Stack
from embedded.variables import as_env_file, published


def prepare(stack: Stack) -> Secrets:
    """Folders, secrets, `.nexus/env`, and what Prometheus and Alertmanager read. For a stack that is to be started; of
    one that runs it would change what its parts read at their next restart."""
    # The parts' own folders, and the place where people drop documents of the default knowledge base.
    for folder in (stack.run, stack.logs, stack.databases, stack.state / "redis", stack.state / "mlflow"):
        folder.mkdir(parents=True, exist_ok=True)
    (stack.documents / "default" / "default").mkdir(parents=True, exist_ok=True)
    secrets = open_secrets(stack.secrets)
    whole_files.write(stack.env_file, as_env_file(published(stack, secrets)))
    rendered = stack.state / "monitoring"
    try:
        monitoring.render(
            stack.checkout / "monitoring",
            rendered,
            stack.profile,
            addresses={name: stack.address(name) for name in stack.ports},
            rules=str(rendered / "rules"),
            webhook_token_file=secrets.webhook_token_file,
        )
    except CannotProvision as exc:
        raise CannotStart(str(exc)) from exc
    return secrets
