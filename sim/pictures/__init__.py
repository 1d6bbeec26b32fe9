"""Pictures of scenes for people."""

from sim.pictures.birdseye import Backdrop, Overlay, View, draw_step, view_of
from sim.pictures.rollout import poses_of, rollout_frames, save_gif

__all__ = ["Backdrop", "Overlay", "View", "draw_step", "poses_of", "rollout_frames", "save_gif", "view_of"]
