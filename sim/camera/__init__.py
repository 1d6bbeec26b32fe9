"""A camera on the ego: pictures with exact labels, for training perception on generated scenes."""

from sim.camera.along import render_along
from sim.camera.render import CLASSES, Frame, render_camera, render_many
from sim.camera.spec import CameraSpec, Daytime

__all__ = ["CLASSES", "CameraSpec", "Daytime", "Frame", "render_along", "render_camera", "render_many"]
