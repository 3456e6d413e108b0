"""What a release tells the model that writes its answers. Pure."""

from dataclasses import dataclass

from grounding.messages import ABSTENTION, INSTRUCTIONS
from opskit.contracts.releases import ReleaseBundle


@dataclass(frozen=True)
class Wording:
    """The instructions above the passages, and what is to be said when no passage answers."""

    instructions: str = INSTRUCTIONS
    abstention: str = ABSTENTION

    def for_reader(self) -> dict[str, str]:
        """As a reader is given it."""
        return {"instructions": self.instructions, "abstention": self.abstention}


def wording_of(bundle: ReleaseBundle) -> Wording:
    """The release's own; where it says nothing, the engine's."""
    prompt, default = bundle.settings["prompt"], Wording()
    return Wording(
        prompt.get("instructions") or default.instructions,
        (prompt.get("wording") or {}).get("abstention") or default.abstention,
    )
