"""A rollout as a moving picture: the expert alone, or several drives of one scene side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sim.pictures.birdseye import SUPERSAMPLING, Backdrop, Float64s, Overlay, View, draw_step, view_of
from sim.recording import Recording

_GAP = 6
_RING_M = 4.0
_MARK = (200, 0, 90)
_CAPTION = 40
"""Rows of a picture that its caption takes."""


@dataclass(frozen=True)
class Mark:
    """A moment of a drive that is to be seen: from then on a ring stays where the ego was, with these words."""

    step: int
    text: str


@dataclass(frozen=True)
class Panel:
    """One of the pictures that stand side by side."""

    caption: str
    recording: Recording
    """The traffic, as it was then."""
    poses: Float64s | None = None
    """[T, 3] x, y, heading of the ego as a policy drove it, in the recording's frame, for the same steps; None for
    the recorded ego."""
    marks: tuple[Mark, ...] = ()


def rollout_frames(
    recording: Recording,
    *,
    policy: Float64s | None = None,
    view: View | None = None,
    every: int = 1,
    ground: Image.Image | None = None,
) -> list[Image.Image]:
    """One picture for every `every`-th step of a recording.

    Args:
        recording: what is drawn.
        policy: [T, 3] poses of a policy as `Panel` has them; then each picture has the expert on the left and the
            policy on the right.
        view: what part is seen; by default 160 m around the middle of what the expert drove.
        every: 1 for all steps.
        ground: a picture of the ground in this view, drawn below everything.

    Raises: ValueError for poses of another shape.
    """
    panels = [Panel("expert", recording)]
    if policy is not None:
        panels.append(Panel("policy", recording, policy))
    return panel_frames(panels, range(0, recording.agents.valid.shape[1], every), view=view, ground=ground)


def panel_frames(
    panels: Sequence[Panel], steps: range, *, view: View | None = None, ground: Image.Image | None = None
) -> list[Image.Image]:
    """One picture for each of these steps: drives of one scene side by side, in the view of the first.

    Raises: ValueError for poses of another shape than [T, 3].
    """
    for panel in panels:
        if panel.poses is not None and (panel.poses.ndim != 2 or panel.poses.shape[1] != 3 or not len(panel.poses)):
            raise ValueError(f"poses of shape {panel.poses.shape}: must be [T, 3] with x, y and heading at each step")
    first = panels[0].recording
    backdrop = Backdrop(first, view or view_of(first), ground=ground)
    return [_side_by_side([_drawn(panel, step, backdrop) for panel in panels]) for step in steps]


def save_gif(frames: list[Image.Image], target: Path | BytesIO, *, step_s: float = 0.2) -> None:
    """Write pictures as an endless GIF of the same 128 colours, those of the first and of the last.

    Raises: ValueError when there are no pictures.
    """
    if not frames:
        raise ValueError("no frames: a moving picture needs at least one")
    palette = _side_by_side([frames[0], frames[-1]]).quantize(128)
    plain = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    plain[0].save(target, format="GIF", save_all=True, append_images=plain[1:], duration=round(1000 * step_s), loop=0)


def _drawn(panel: Panel, step: int, backdrop: Backdrop) -> Image.Image:
    recording = panel.recording
    overlay = None if panel.poses is None else Overlay(panel.poses)
    image = draw_step(recording, step, backdrop=backdrop, overlay=overlay)
    text = f"{panel.caption}  {step * recording.step_s:4.1f} s  {', '.join(recording.tags)}"
    draw = ImageDraw.Draw(image)
    draw.text((8, 6), text, fill=(40, 40, 40))
    for mark in panel.marks:
        if step >= mark.step:
            _draw_mark(draw, mark, panel, backdrop)
    return image


def _draw_mark(draw: ImageDraw.ImageDraw, mark: Mark, panel: Panel, backdrop: Backdrop) -> None:
    """A ring around where the ego was at the moment, and beside it the words, inside of the picture."""
    poses = poses_of(panel.recording) if panel.poses is None else panel.poses
    place = poses[min(mark.step, len(poses) - 1), :2][None]
    (x, y), side = backdrop.pixels_of(place)[0], backdrop.view.pixels
    x, y = x / SUPERSAMPLING, y / SUPERSAMPLING
    radius = max(_RING_M * side / backdrop.view.span_m, 10.0)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_MARK, width=3)
    left, top, right, bottom = draw.textbbox((0, 0), mark.text)
    wide, high = right - left, bottom - top
    across = min(max(x - 0.5 * wide, 4.0), side - wide - 4.0)
    above = y - radius - high - 8.0
    down = above if above > _CAPTION else min(y + radius + 4.0, side - high - 8.0)
    draw.rectangle((across - 3, down - 2, across + wide + 3, down + high + 5), fill=_MARK)
    draw.text((across, down), mark.text, fill=(255, 255, 255))


def _side_by_side(images: list[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + _GAP * (len(images) - 1)
    whole = Image.new("RGB", (width, images[0].height), (255, 255, 255))
    at = 0
    for image in images:
        whole.paste(image, (at, 0))
        at += image.width + _GAP
    return whole


def poses_of(recording: Recording) -> Float64s:
    """[T, 3] x, y and heading of the recorded ego."""
    agents, ego = recording.agents, recording.ego
    return np.concatenate([agents.position[ego, :, :2], agents.heading[ego, :, None]], axis=1)
