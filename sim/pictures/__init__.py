"""Pictures of scenes for people."""

from sim.pictures.birdseye import Backdrop, Overlay, View, draw_step, view_of
from sim.pictures.rollout import Mark, Panel, panel_frames, poses_of, rollout_frames, save_gif
from sim.pictures.stored import ground_picture, recording_of

__all__ = [
    "Backdrop",
    "Mark",
    "Overlay",
    "Panel",
    "View",
    "draw_step",
    "ground_picture",
    "panel_frames",
    "poses_of",
    "recording_of",
    "rollout_frames",
    "save_gif",
    "view_of",
]
