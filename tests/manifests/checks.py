"""Every check of an environment's objects, by name. Each takes the objects and gives a line for each problem."""

from collections.abc import Callable, Mapping

from tests.manifests import commands, environment, flows, metadata, needed_flows, pod_security, probes, references
from tests.manifests.rendering import Objects


def impossible_flows(objects: Objects) -> list[str]:
    """Needed, and not let pass."""
    return [str(flow) for flow in sorted(_needed(objects) - flows.allowed_flows(objects))]


def needless_flows(objects: Objects) -> list[str]:
    """Let pass, and not needed."""
    return [str(flow) for flow in sorted(flows.allowed_flows(objects) - _needed(objects))]


def _needed(objects: Objects) -> set[flows.Flow]:
    everybody = {one.name for one in flows.endpoints(objects) if one.space is None}
    return needed_flows.needed(objects, everybody)


CHECKS: Mapping[str, Callable[[Objects], list[str]]] = {
    check.__name__: check
    for check in (
        references.missing_config_maps,
        references.missing_secrets,
        references.missing_service_accounts,
        references.missing_roles,
        references.missing_volumes,
        references.selectors_that_select_nothing,
        references.missing_ports,
        references.missing_scale_targets,
        references.missing_addresses,
        commands.unknown_commands,
        environment.misunderstood_variables,
        environment.settings_of_nobody,
        environment.unreadable_settings,
        environment.misunderstood_files,
        pod_security.unrestricted,
        pod_security.unenforced,
        pod_security.unlimited,
        pod_security.needless_tokens,
        probes.missing_probes,
        probes.unknown_paths,
        probes.abrupt_ends,
        probes.unprotected,
        metadata.unlabelled,
        metadata.doubled,
        metadata.in_wrong_namespaces,
        metadata.wrong_images,
        metadata.secrets_in_git,
        impossible_flows,
        needless_flows,
    )
}
