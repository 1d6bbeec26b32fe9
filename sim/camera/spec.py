"""Where the camera is, and what the light and the weather are."""

from dataclasses import dataclass
from enum import Enum


class Daytime(Enum):
    """How much light there is."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


@dataclass(frozen=True)
class CameraSpec:
    """A pinhole camera on the ego, looking ahead. Hashable: equal specs share one compilation."""

    height: int = 128
    """Pixels."""
    width: int = 256
    field_of_view: float = 1.4
    """Horizontal, radians."""
    mount_height_m: float = 1.5
    mount_ahead_m: float = 0.6
    """Metres before the middle of the ego."""
    pitch: float = 0.04
    """Radians downwards."""
    agents: int = 24
    """Nearest agents in view that are drawn."""
    signals: int = 4
    """Nearest traffic lights of the route that are drawn."""
    markings: int = 64
    """Nearest pieces of painted lines that are drawn."""
    crossings: int = 8
    """Nearest crosswalks that are drawn."""
    range_m: float = 90.0
    """Nothing beyond is drawn."""
    cell: int = 16
    """Side of a cell of the labels, pixels; divides height and width."""
    daytime: Daytime = Daytime.DAY
    rain: float = 0.0
    """In [0, 1]."""
    noise: float = 0.01
    """Standard deviation of the sensor's noise, share of full scale."""
    exposure: float = 1.0
    """Factor on the light."""

    def __post_init__(self) -> None:
        """Refuse cells that do not tile the picture, and a camera that sees no ground or nothing at all."""
        if self.cell < 1 or self.height % self.cell or self.width % self.cell:
            raise ValueError(f"cell {self.cell}: must divide the picture {self.width}x{self.height}")
        for name in ("agents", "signals", "markings", "crossings"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)}: must be at least 1")
