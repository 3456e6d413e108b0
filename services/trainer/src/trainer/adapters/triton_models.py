"""Readers loaded into a running Triton, through the model repository that it reads."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import tritonclient.grpc as triton
from nexus_serving import more_readers
from nexus_serving.embedder_model import embedder_folder
from nexus_serving.layout import Layout, SetUpFailed
from opskit.errors import Unavailable
from tritonclient.utils import InferenceServerException

_SECONDS: Final = 600.0
"""A reader answers a few seconds after it is asked for; a language model is read from the disk first."""
_LOOK_SECONDS: Final = 5.0


class TritonModels:
    """Satisfies `Served`."""

    def __init__(self, address: str, layout: Layout) -> None:
        self._address, self._layout = address, layout

    def load(self, model: str, reader: Path, digest: str) -> None:
        """Serve a reader beside the others; returns when it answers.

        Raises:
            Unavailable: Triton is away, or refuses the model; then it is not on its list either.
        """
        if digest != (kept := str(json.loads((reader / "reader.json").read_text())["digest"])):
            raise Unavailable(f"The files of {model} are of another reader ({kept[:12]}, not {digest[:12]}).")
        known = more_readers.wanted(self._layout)
        if model in known and model in self.loaded():
            return
        try:
            more_readers.add(self._layout, model, reader, embedder_folder(self._layout))
        except SetUpFailed as exc:
            raise Unavailable(f"{model} cannot be served: {exc}"[:300]) from exc
        try:
            for server in self._servers():
                self._call(server, "load_model", model, client_timeout=_SECONDS)
                if not self._call(server, "is_model_ready", model, client_timeout=_LOOK_SECONDS):
                    raise Unavailable(f"Triton loaded {model}, and it is not ready.")
        except Unavailable:
            if model not in known:
                more_readers.remove(self._layout, model)
            raise

    def unload(self, model: str) -> None:
        """No longer serve it. Triton finishes what it is asked before."""
        for server in self._servers():
            if model in self._loaded_by(server):
                self._call(server, "unload_model", model, client_timeout=_SECONDS)
        more_readers.remove(self._layout, model)

    def loaded(self) -> set[str]:
        """The readers, beside the first, that can be asked now: of several servers, those that all have."""
        return set.intersection(*(self._loaded_by(server) for server in self._servers()))

    def held(self) -> set[str]:
        """Those that any server has, or is to load when it starts."""
        return set(more_readers.wanted(self._layout)).union(*(self._loaded_by(server) for server in self._servers()))

    def _loaded_by(self, server: str) -> set[str]:
        index = self._call(server, "get_model_repository_index", as_json=True, client_timeout=_LOOK_SECONDS)
        return {
            str(one["name"])
            for one in index.get("models", [])
            if one.get("state") == "READY" and str(one["name"]).startswith(more_readers.PREFIX)
        }

    def _servers(self) -> list[str]:
        return servers(self._address)

    def _call(self, server: str, method: str, *arguments: Any, **more: Any) -> Any:
        client = triton.InferenceServerClient(server)
        try:
            return getattr(client, method)(*arguments, **more)
        except InferenceServerException as exc:
            raise Unavailable(f"Triton: {str(exc.message())[:300]}") from exc
        finally:
            client.close()


def servers(address: str, resolve: Callable[..., Any] = socket.getaddrinfo) -> list[str]:
    """Every server behind an address: in Kubernetes a name stands for as many as there are. Raises Unavailable."""
    host, _, port = address.rpartition(":")
    try:
        found = resolve(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except OSError as exc:
        raise Unavailable(f"Triton: nobody knows where {host} is.") from exc
    # A server with an address of either kind is one server.
    kind = min(family for family, *_ in found)
    places = {str(place[0]) for family, *_, place in found if family == kind}
    return sorted(f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in places)
