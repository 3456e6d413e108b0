"""What can go wrong in trainer.

* NexusError
  + NotFound, InvalidRequest, Unavailable (opskit)
  + Conflict (opskit)
    - RunUnderWay     a run of the same target has not ended
    - NotPossible     the release cannot become that
"""

from opskit.errors import Conflict


class RunUnderWay(Conflict):
    """At most one run is under way for a target."""

    code = "run_under_way"


class NotPossible(Conflict):
    """The release cannot become that."""

    code = "not_possible"
