"""Names that say who belongs together, and not who it is. Pure."""

import hashlib
import hmac


class Pseudonyms:
    """The same name always gets the same pseudonym. Nobody without the secret can tell which it is by trying names."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def tenant(self, tenant: str) -> str:
        return self._of("tenant", tenant)

    def knowledge_base(self, tenant: str, name: str) -> str:
        return self._of("knowledge base", tenant, name)

    def conversation(self, tenant: str, conversation_id: str) -> str:
        return self._of("conversation", tenant, conversation_id)

    def voter(self, tenant: str, key_id: str) -> str:
        return self._of("voter", tenant, key_id)

    def _of(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:16]
