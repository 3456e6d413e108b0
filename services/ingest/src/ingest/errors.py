"""What goes wrong in ingest, beside the shared tree.

* NexusError (opskit)
  + InvalidRequest, NotFound, Conflict, TooLarge, Unauthenticated: the caller's to change
  + Unavailable: a store, queue, index or model is away; work waits for it
    - StoreRefused: the object store is there and says no; work waits until somebody acts
  + BrokenVectors: the embedder answered with something that must not be indexed
  + IndexRefused: Milvus is there and will not take it
* Superseded: a newer version of the document is wished for; the present work is void
* ingest.parsers.document.Unreadable: the file will not become text, however often it is tried
"""

from opskit.errors import NexusError, Unavailable


class StoreRefused(Unavailable):
    """The object store answered, and refused: wrong keys, no right, a target it does not know."""


class BrokenVectors(NexusError):
    """Vectors of the wrong number or size, or that are not numbers."""

    code = "broken_vectors"


class IndexRefused(NexusError):
    """The index answered, and refused."""

    code = "index_refused"


class Superseded(Exception):
    """A newer wish for the document was recorded while this one was being worked on."""
