"""The encoder that a reader starts from, and the embedder beside which it is served: the same weights."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from nexus_serving.embedder_model import fetch_weights, prepare_embedder
from nexus_serving.layout import Layout


def served_embedder(say: Callable[[str], None]) -> Path:
    """The embedder as it is served. Raises SetUpFailed."""
    return prepare_embedder(Layout.from_environment(), say)


def encoder_folder(say: Callable[[str], None]) -> Path:
    """all-MiniLM-L6-v2 as a transformers folder, fetched once. Raises SetUpFailed."""
    folder = Layout.from_environment().cache / "encoder"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            shutil.move(fetch_weights(Path(work), say), folder)
    return folder
