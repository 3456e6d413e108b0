"""What provisioning refuses, as one line that says what to do."""


class CannotProvision(Exception):
    """A secret, a profile, a volume or a setting is in the way; the message says which, and what to do about it."""
