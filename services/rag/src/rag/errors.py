"""What can go wrong in rag.

* NexusError
  + InvalidRequest, NotFound, Unavailable (opskit)
    - ModelNotFound   the request names a model there is none of
    - Busy            too many answers are being read
    - ReaderFailed    the reader gave up, or said something that is no answer
"""

from opskit.errors import NotFound, Unavailable


class ModelNotFound(NotFound):
    """The request names a model that is not served here."""

    code = "model_not_found"


class Busy(Unavailable):
    """More answers are asked for than can be read."""

    code = "overloaded"


class ReaderFailed(Unavailable):
    """The reader broke off, or broke its contract. Asking again is right."""

    code = "reader_failed"
