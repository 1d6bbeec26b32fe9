"""A rollout as a moving picture: the expert alone, or the expert and a policy side by side."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sim.pictures.birdseye import Backdrop, Float64s, Overlay, View, draw_step, view_of
from sim.recording import Recording

_GAP = 6
_CAPTION: dict[bool, str] = {False: "expert", True: "policy"}


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
        policy: [T, 3] x, y, heading of the ego as a policy drove it, in the recording's frame, for the same steps;
            then each picture has the expert on the left and the policy on the right.
        view: what part is seen; by default 160 m around the middle of what the expert drove.
        every: 1 for all steps.
        ground: a picture of the ground in this view, drawn below everything.

    Raises: ValueError for poses of another shape.
    """
    if policy is not None and (policy.ndim != 2 or policy.shape[1] != 3 or not len(policy)):
        raise ValueError(f"poses of shape {policy.shape}: must be [T, 3] with x, y and heading at each step")
    backdrop = Backdrop(recording, view or view_of(recording), ground=ground)
    frames = []
    for step in range(0, recording.agents.valid.shape[1], every):
        shown = [_captioned(draw_step(recording, step, backdrop=backdrop), step, recording, policy=False)]
        if policy is not None:
            other = draw_step(recording, step, backdrop=backdrop, overlay=Overlay(policy))
            shown.append(_captioned(other, step, recording, policy=True))
        frames.append(_side_by_side(shown))
    return frames


def save_gif(frames: list[Image.Image], file: Path | BytesIO, *, step_s: float = 0.2) -> None:
    """Write pictures as an endless GIF of the same 128 colours.

    Raises: ValueError when there are no pictures.
    """
    if not frames:
        raise ValueError("no frames: a moving picture needs at least one")
    palette = frames[0].quantize(128)
    plain = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    plain[0].save(file, format="GIF", save_all=True, append_images=plain[1:], duration=round(1000 * step_s), loop=0)


def _captioned(image: Image.Image, step: int, recording: Recording, *, policy: bool) -> Image.Image:
    text = f"{_CAPTION[policy]}  {step * recording.step_s:4.1f} s  {', '.join(recording.tags)}"
    ImageDraw.Draw(image).text((8, 6), text, fill=(40, 40, 40))
    return image


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
