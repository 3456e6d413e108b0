"""What the launcher refuses, as one line that says what to do."""


class CannotStart(Exception):
    """Something on this machine is in the way; the message says what, and what to do about it."""
