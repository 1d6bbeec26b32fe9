"""Figures as the commands print them."""

from collections.abc import Iterable, Mapping


def quality(classes: Iterable[str], found: Mapping[str, float]) -> str:
    """Give the metric of each class in words; one that could not be measured says why."""
    return ", ".join(
        f"{name} {found[name]:.3f}" if name in found else f"{name} – (none in the test set)" for name in classes
    )
