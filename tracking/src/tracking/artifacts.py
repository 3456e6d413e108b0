"""Where MLflow keeps artifacts is made when it is not there yet, on a server that is not Amazon's."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tracking.server import NotConfigured

_PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 5})
_MISSING = ("404", "NoSuchBucket")


def ensure_bucket(variables: Mapping[str, str], artifacts: str) -> None:
    """Make the bucket of an `s3://` address at MLFLOW_S3_ENDPOINT_URL. Raises NotConfigured, with the reason."""
    address = urlsplit(artifacts)
    endpoint = variables.get("MLFLOW_S3_ENDPOINT_URL")
    if address.scheme != "s3" or not endpoint:
        return
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
        region_name=variables.get("AWS_DEFAULT_REGION", "us-east-1"),
        config=_PATIENCE,
    )
    try:
        if not _is_there(client, address.netloc):
            client.create_bucket(Bucket=address.netloc)
    except (BotoCoreError, ClientError) as exc:
        raise NotConfigured(f"the bucket {address.netloc} at {endpoint} cannot be used: {exc}") from exc


def _is_there(client: "boto3.client", bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as exc:
        if exc.response["Error"]["Code"] in _MISSING:
            return False
        raise
    return True
