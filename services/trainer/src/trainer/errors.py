"""What goes wrong in trainer, beside the shared tree.

* NexusError (opskit)
  + InvalidRequest, NotFound: the caller's to change
  + Conflict
    - NotInThisVersion: asked for what only the improvement pipeline can do
  + Unavailable: the database is away
"""

from opskit.errors import Conflict


class NotInThisVersion(Conflict):
    """This version keeps feedback; it does not train, and it has no releases to switch between."""

    code = "not_in_this_version"
