"""A round as it is asked for on the command line: one record, whoever runs it."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import typer

from al_platform.cli import parse
from al_platform.cli.model import described_grid, described_model
from al_platform.cli.recipe import read_recipe
from al_platform.domain.driving import PolicyModel, policy_model, training_of, usual_strategy
from al_platform.domain.hashing import to_plain
from al_platform.domain.models import ModelSpec
from al_platform.domain.policies import PolicySpec
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.domain.runs import require_scorers


@dataclass(frozen=True)
class Asked:
    """The options that describe a round, as they were typed. None has a default here, so that none can be dropped."""

    pool: str
    targets: str
    classes: str
    test: str
    strategy: str
    filter_text: str
    budget: int
    object_budget: int | None
    dataset: str
    start: int
    seed: int
    scorers: int
    annotator: str
    queue: str
    family: str
    members: int
    policy: str
    drives: int
    train_policy: Path | None
    parent: str
    hold_out: float
    image: str
    setting: list[str] | None
    curriculum: list[str] | None

    @classmethod
    def of(cls, context: typer.Context) -> "Asked":
        """Give the options of a command, each of which has a parameter of its name."""
        return cls(**{option.name: context.params[option.name] for option in fields(cls)})

    def __post_init__(self) -> None:
        """Refuse rounds that nobody scores."""
        require_scorers(self.scorers)

    @property
    def strategy_text(self) -> str:
        """The strategy as it was typed, or the one that items of this kind are picked by otherwise."""
        usual = usual_strategy(parse.names(self.targets)) if self._of_scenarios else StrategySpec().name
        return self.strategy or usual

    def spec(self) -> RoundSpec:
        """Give what is wanted; pool, test set and start set are not frozen yet.

        Raises: InvalidInput for a model or a round that cannot be.
        """
        return RoundSpec(
            model=self._model(),
            dataset_version_id=self.dataset,
            pool_id="",
            targets=parse.names(self.targets),
            budget=Budget(self.budget, self.object_budget),
            strategy=self._strategy(),
            seed=self.seed,
            annotator=self.annotator,
            queue=self.queue,
            filter=self.filter_text,
            curriculum=parse.curriculum(self.curriculum or []),
        )

    def _model(self) -> ModelSpec | PolicyModel:
        if self._of_scenarios:
            training = training_of(self._recipe(), self.parent, held_out=self.hold_out)
            return policy_model(self.policy, parse.names(self.targets), drives=self.drives, training=training)
        return described_model(
            targets=self.targets,
            classes=self.classes,
            family=self.family,
            members=self.members,
            image=self.image,
            settings=self.setting,
        )

    @property
    def _of_scenarios(self) -> bool:
        return bool(self.policy or self.train_policy or self.parent)

    def _recipe(self) -> PolicySpec | None:
        return read_recipe(self.train_policy) if self.train_policy else None

    def _strategy(self) -> StrategySpec:
        return parse.strategy(self.strategy_text)

    def body(self) -> dict[str, Any]:
        """Give what a service is asked, as plain data.

        Raises: InvalidInput for an option that does not parse.
        """
        grid = described_grid(self.image)
        return {
            "pool": self.pool,
            "test": self.test,
            "targets": parse.names(self.targets),
            "classes": parse.names(self.classes),
            "strategy": asdict(self._strategy()),
            "filter": self.filter_text,
            "curriculum": [asdict(part) for part in parse.curriculum(self.curriculum or [])],
            "budget": {"frames": self.budget, "objects": self.object_budget},
            "dataset_version_id": self.dataset,
            "start": self.start,
            "seed": self.seed,
            "scorers": self.scorers,
            "annotator": self.annotator,
            "queue": self.queue,
            "family": self.family,
            "members": self.members,
            "policy": self._policy_body() if self._of_scenarios else None,
            "image": {"width": grid.image_width, "height": grid.image_height, "cell": grid.cell},
            "settings": parse.options(self.setting or []),
        }

    def _policy_body(self) -> dict[str, Any]:
        recipe = to_plain(self._recipe())
        return {
            "policy_id": self.policy,
            "drives": self.drives,
            "recipe": recipe,
            "parent_id": self.parent,
            "held_out": self.hold_out,
        }
