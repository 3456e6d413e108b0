"""That a bucket tells a target of its changes: rules of others stay, and a rule that is there already is left alone."""

from dataclasses import replace
from typing import Final

from minio import Minio
from minio.notificationconfig import NotificationConfig, QueueConfig

EVENTS: Final = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
_RULE: Final = "nexus-documents"


def notifies(client: Minio, bucket: str, target: str) -> bool:
    """Whether the bucket sends every creation and removal to the target."""
    return _is_met(client.get_bucket_notification(bucket), target)


def ensure_notifies(client: Minio, bucket: str, target: str) -> bool:
    """Add our rule when it is missing, in place of an older one of ours; whether it was."""
    present = client.get_bucket_notification(bucket)
    if _is_met(present, target):
        return False
    others = [rule for rule in present.queue_config_list if rule.config_id != _RULE]
    ours = QueueConfig(events=list(EVENTS), config_id=_RULE, queue=target)
    client.set_bucket_notification(bucket, replace(present, queue_config_list=[*others, ours]))
    return True


def _is_met(present: NotificationConfig, target: str) -> bool:
    sent = {
        event
        for rule in present.queue_config_list
        if _same_target(rule.queue or "", target) and not (rule.prefix_filter_rule or rule.suffix_filter_rule)
        for event in rule.events
    }
    return sent.issuperset(EVENTS)


def _same_target(one: str, other: str) -> bool:
    """ARNs without their region, which MinIO writes into each as it is configured."""
    return _without_region(one) == _without_region(other)


def _without_region(arn: str) -> tuple[str, ...]:
    parts = tuple(arn.split(":"))
    return (*parts[:3], *parts[4:])
