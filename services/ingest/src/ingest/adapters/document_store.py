"""Opens the store that the settings name."""

from ingest.adapters.folder_store import FolderStore
from ingest.adapters.s3_client import open_client
from ingest.adapters.s3_store import S3Store
from ingest.settings import Settings


def open_store(settings: Settings) -> FolderStore | S3Store:
    """A folder beside the stack, or a bucket."""
    if settings.store == "folder":
        return FolderStore(settings.store_folder, max_bytes=settings.max_document_bytes)
    return S3Store(open_client(settings), settings.s3_bucket, max_bytes=settings.max_document_bytes)
