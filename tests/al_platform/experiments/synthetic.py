"""Experiments made of formulas, with the shape that real ones have."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Budget, StrategySpec
from al_platform.experiments.records import CurvePoint, ExperimentResult, ExperimentSpec, Picked

# arm -> how many times fewer frames than random, positive cells per frame
ARMS = {
    "mixdist": (2.9, 17.0),
    "random": (1.0, 6.0),
    "manual": (1.2, 11.0),
    "entropy": (2.5, 18.0),
    "core-set": (1.5, 8.0),
    "stratified": (1.15, 6.5),
}
START, BUDGET, ROUNDS = 40, 40, 6
CEILING = {"pedestrian": (0.30, 0.36), "bicyclist": (0.16, 0.30)}
STEPS = {"train": 3.1, "score": 1.4, "select": 0.3, "label": 0.1, "append": 0.2}


def point(
    arm: str,
    seed: int,
    round_index: int,
    precision: Mapping[str, float],
    *,
    frames: int,
    cells: Mapping[str, int] | None = None,
    objects: Mapping[str, int] | None = None,
) -> CurvePoint:
    cells = cells if cells is not None else dict.fromkeys(precision, 10 * frames)
    objects = objects if objects is not None else dict.fromkeys(precision, 2 * frames)
    return CurvePoint(
        arm=arm,
        seed=seed,
        round_index=round_index,
        frames=frames,
        positive_cells=cells,
        objects=objects,
        sessions=frames // 2,
        average_precision=precision,
        picked=0 if round_index == 0 else 10,
        picked_without_target=0 if round_index == 0 else 3,
    )


def curve_points(
    arm: str, *, seed: int, values: list[float], frames: list[int], name: str = "living"
) -> list[CurvePoint]:
    """One class, given values."""
    return [
        point(arm, seed, round_index, {name: value}, frames=count)
        for round_index, (value, count) in enumerate(zip(values, frames, strict=True))
    ]


def spec(arms: tuple[str, ...], *, targets: tuple[str, ...], seeds: int, rounds: int) -> ExperimentSpec:
    return ExperimentSpec(
        name="night drives",
        model=ModelSpec(classes=targets),
        targets=targets,
        pool_filter="split = 'train'",
        test_filter="split = 'test'",
        strategies=tuple(StrategySpec(name=arm) for arm in arms) or (StrategySpec(),),
        budget=Budget(frames=BUDGET),
        start=START,
        rounds=max(rounds, 1),
        seeds=max(seeds, 1),
    )


def result_of(points: list[CurvePoint], **changes: object) -> ExperimentResult:
    """Wrap points into a result without pictures."""
    classes = tuple(dict.fromkeys(name for p in points for name in p.average_precision)) or ("living",)
    fields: dict[str, object] = {
        "experiment_id": "exp-1",
        "spec": spec(
            tuple(dict.fromkeys(p.arm for p in points)),
            targets=classes,
            seeds=len({p.seed for p in points}),
            rounds=max((p.round_index for p in points), default=1),
        ),
        "points": tuple(points),
        "pool_frames": 1403,
        "pool_sessions": 309,
        "test_frames": 204,
        "test_sessions": 61,
    }
    return ExperimentResult(**{**fields, **changes})  # type: ignore[arg-type]


def realistic(*, seeds: int = 5, arms: tuple[str, ...] = tuple(ARMS), pictures: bool = True) -> ExperimentResult:
    """Saturating curves; the arm's speed is how many frames of random one of its frames is worth."""
    points = []
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        shift = random.normal(0, 0.010)
        for arm in arms:
            points += _arm_points(arm, seed, shift, np.random.default_rng((seed, list(ARMS).index(arm))))
    changed = {
        "environment": {
            "commit": "4f2a9c1",
            "jax": "0.10.2",
            "numpy": "2.2.6",
            "device": "cpu, 2 cores",
            "python": "3.11.9",
        },
        "gallery": gallery(arms) if pictures else (),
    }
    return result_of(points, **changed)


def _arm_points(arm: str, seed: int, shift: float, random: np.random.Generator) -> list[CurvePoint]:
    speed, density = ARMS[arm]
    made, cells = [], {"pedestrian": 240, "bicyclist": 90}
    for round_index in range(ROUNDS + 1):
        frames = START + BUDGET * round_index
        noise = 0.0 if round_index == 0 else 1.0
        worth = START + speed * BUDGET * round_index
        precision = {
            name: low + gain * (1 - np.exp(-(worth - START) / 180)) + shift + noise * random.normal(0, 0.014)
            for name, (low, gain) in CEILING.items()
        }
        if round_index:
            cells = {
                "pedestrian": cells["pedestrian"] + int(BUDGET * density * random.uniform(0.85, 1.15)),
                "bicyclist": cells["bicyclist"] + int(BUDGET * density * 0.4 * random.uniform(0.8, 1.2)),
            }
        made.append(
            CurvePoint(
                arm=arm,
                seed=seed,
                round_index=round_index,
                frames=frames,
                positive_cells=cells,
                objects={name: count // 9 for name, count in cells.items()},
                sessions=int(min(309, 30 + round_index * (10 if arm == "manual" else 27) + random.integers(0, 8))),
                average_precision=precision,
                seconds={step: s * random.uniform(0.9, 1.2) for step, s in STEPS.items() if round_index},
                picked=BUDGET if round_index else 0,
                picked_without_target=int(BUDGET * max(0.02, 0.75 - 0.038 * density)) if round_index else 0,
            )
        )
    return made


def gallery(arms: tuple[str, ...], *, each: int = 4) -> tuple[Picked, ...]:
    """Road scenes drawn by hand, with a heatmap over their people."""
    return tuple(
        _picked(arm, rank, np.random.default_rng((arm_index, rank)))
        for arm_index, arm in enumerate(arms[:3])
        for rank in range(each)
    )


def _picked(arm: str, rank: int, random: np.random.Generator) -> Picked:
    shows = rank != 2
    x, y = int(random.integers(60, 260)), int(random.integers(110, 150))
    rows, columns = np.mgrid[0:14, 0:20]
    heat = 0.3 * np.exp(-((columns - x / 16) ** 2 + (rows - y / 16) ** 2) / 4) + random.uniform(0, 0.02, (14, 20))
    score = float(heat.mean())
    return Picked(
        arm=arm,
        frame_id=f"frame-{arm}-{rank}",
        image=scene(x, y, shows=shows, dusk=float(random.uniform(0.3, 1))),
        for_class=("pedestrian", "bicyclist")[rank % 2],
        score=score if arm != "mixdist" else 7.3 - rank,
        rank=rank,
        session_id=f"drive-{int(random.integers(100, 999))}",
        heatmap=tuple(tuple(float(v) for v in row) for row in heat),
        shows_target=shows,
    )


def scene(x: int, y: int, *, shows: bool, dusk: float) -> bytes:
    """A road, a sky and, where `shows`, a person at (x, y); JPEG."""
    image = Image.new("RGB", (320, 224), tuple(int(c * dusk) for c in (150, 180, 215)))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 100, 320, 224), fill=tuple(int(c * dusk) for c in (96, 104, 92)))
    draw.polygon([(150, 100), (170, 100), (290, 224), (30, 224)], fill=tuple(int(c * dusk) for c in (70, 70, 74)))
    for step in range(5):
        draw.line([(160, 105 + step * 24), (160, 115 + step * 24)], fill=(230, 230, 210), width=2 + step)
    draw.rectangle((10, 40, 70, 110), fill=tuple(int(c * dusk) for c in (150, 120, 100)))
    if shows:
        draw.ellipse((x - 4, y - 26, x + 4, y - 18), fill=(205, 170, 145))
        draw.rectangle((x - 6, y - 18, x + 6, y + 10), fill=(160, 50, 60))
        draw.rectangle((x - 5, y + 10, x + 5, y + 28), fill=(40, 45, 90))
    else:
        draw.rectangle((x - 3, y - 30, x + 3, y + 28), fill=(60, 62, 60))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
