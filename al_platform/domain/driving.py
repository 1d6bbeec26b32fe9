"""Rounds of scenarios: whose drivers are asked, how they are trained, and what they may disagree about."""

from dataclasses import dataclass

from al_platform.domain.policies import PolicySpec
from al_platform.errors import InvalidInput

OUTCOMES = ("collision", "off_route", "red_light", "off_road", "stop_line", "wrong_way")
"""What can happen on a drive; each is a target: whether the drivers agree that it does."""
JUDGED = ("action", "surprise", "progress")
"""Further targets: what the drivers would do along the recording, how little they expected what the recorded ego did,
and how far they get."""
TAG = "tag:"
"""Before the name of a tag: whether drivers agree on failure, in scenes that carry it."""

HELD_OUT = 0.1
"""The share of sessions that a round's drivers do not learn from where nothing else is asked for."""


@dataclass(frozen=True)
class PolicyTraining:
    """How a round trains its drivers on its dataset version; the seed is that of the round."""

    recipe: PolicySpec
    parent_id: str | None = None
    """The policy that every round goes on from; None for fresh weights."""
    held_out: float = 0.0
    """Share of the sessions, in [0, 1), that teach nothing: the learning curve is measured on them."""

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to learn from."""
        if not 0.0 <= self.held_out < 1.0:
            raise InvalidInput(f"held out {self.held_out:g}: must be a share of the sessions, at least 0 and below 1")


@dataclass(frozen=True)
class PolicyModel:
    """The drivers of a round of scenarios, and how they are asked."""

    policy_id: str
    """The policy whose drivers are asked; empty where the round trains them."""
    drives: int = 0
    """Drives of each scene by each driver with drawn actions; 0 for one drive by the expected actions."""
    tags: tuple[str, ...] = ()
    """Tags whose scenes can be a target, as `tag:NAME`."""
    training: PolicyTraining | None = None
    """None: a policy that is there is asked."""

    def __post_init__(self) -> None:
        """Refuse drivers of two origins, drives that nobody makes, and tags without a name."""
        if self.policy_id and self.training is not None:
            raise InvalidInput(
                f"policy {self.policy_id}: given beside a recipe; leave it out to train, or name it as what training "
                "goes on from"
            )
        if self.drives < 0:
            raise InvalidInput(f"drives {self.drives}: must be 0 (the expected actions) or more")
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


def usual_strategy(targets: tuple[str, ...]) -> str:
    """Give the name of the strategy by which scenarios are picked for these targets where none is asked for.

    Events, of tagged scenes too, go by how many drivers they happen to: that nobody need fail is known from the
    recording, so most is learned where all do, and there nobody disagrees. Anything else goes by disagreement.
    """
    return "mi" if set(targets) & set(JUDGED) else "mass"


def policy_model(
    policy_id: str, targets: tuple[str, ...], *, drives: int = 0, training: PolicyTraining | None = None
) -> PolicyModel:
    """Give the drivers of a round for these targets, with scores for the tags among them."""
    return PolicyModel(policy_id, drives, tags_among(targets), training)


def training_of(recipe: PolicySpec | None, parent_id: str, *, held_out: float) -> PolicyTraining | None:
    """Give how drivers are trained by a recipe from a policy ("" for fresh weights); None without a recipe.

    Raises: InvalidInput for a policy to go on from without a recipe, or a share held out that cannot be.
    """
    if recipe is not None:
        return PolicyTraining(recipe, parent_id or None, held_out)
    if parent_id:
        raise InvalidInput(f"policy {parent_id}: to go on from, but no recipe is given; give one, or ask the policy")
    return None


def tags_among(targets: tuple[str, ...]) -> tuple[str, ...]:
    """Give the tags whose scenes are targets."""
    return tuple(name.removeprefix(TAG) for name in targets if name.startswith(TAG))
