"""Rounds of scenarios: whose drivers are asked, and what they may disagree about."""

from dataclasses import dataclass

from al_platform.errors import InvalidInput

OUTCOMES = ("collision", "off_route", "red_light", "off_road", "stop_line", "wrong_way")
"""What can happen on a drive; each is a target: whether the drivers agree that it does."""
JUDGED = ("action", "surprise", "progress")
"""Further targets: what the drivers would do along the recording, how little they expected what the recorded ego did,
and how far they get."""
TAG = "tag:"
"""Before the name of a tag: whether drivers agree on failure, in scenes that carry it."""


@dataclass(frozen=True)
class PolicyModel:
    """The drivers of a round of scenarios, and how they are asked."""

    policy_id: str
    """The policy whose drivers are asked."""
    drives: int = 0
    """Drives of each scene by each driver with drawn actions; 0 for one drive by the likeliest actions."""
    tags: tuple[str, ...] = ()
    """Tags whose scenes can be a target, as `tag:NAME`."""

    def __post_init__(self) -> None:
        """Refuse drives that nobody makes, and tags without a name."""
        if self.drives < 0:
            raise InvalidInput(f"drives {self.drives}: must be 0 (the likeliest actions) or more")
        if len(set(self.tags)) != len(self.tags) or not all(self.tags):
            raise InvalidInput(f"tags {', '.join(self.tags)}: each must have a name and be named once")

    @property
    def classes(self) -> tuple[str, ...]:
        """Everything that a scene gets scores for."""
        return (*OUTCOMES, *JUDGED, *(f"{TAG}{name}" for name in self.tags))


def detected_event(for_class: str, score: float) -> str:
    """Give the event that drivers saw in a scene which was picked for a class by a score; empty for none.

    A pick without a score was drawn, not detected.
    """
    return for_class if for_class in OUTCOMES and score > 0.0 else ""


def policy_model(policy_id: str, targets: tuple[str, ...], *, drives: int = 0) -> PolicyModel:
    """Give the drivers of a round for these targets, with scores for the tags among them."""
    return PolicyModel(policy_id, drives, tags_among(targets))


def tags_among(targets: tuple[str, ...]) -> tuple[str, ...]:
    """Give the tags whose scenes are targets."""
    return tuple(name.removeprefix(TAG) for name in targets if name.startswith(TAG))
