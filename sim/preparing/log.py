"""The log: which agents are kept, and their states in small numbers."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sim.preparing.point_index import Float64s, PointIndex
from sim.preparing.resample import Tracks
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, SPEED_MPS, Log, Sizes

_LARGEST = 32767


def kept_agents(tracks: Tracks, most: int) -> tuple[Tracks, int]:
    """Order agents by how near they come to the recorded ego's path, the ego first; gives how many find no room.

    Agents that are never seen are left out and not counted.
    """
    path = PointIndex(tracks.states[0])
    nearest = np.full(len(tracks.ids), np.inf)
    rows, steps = np.nonzero(tracks.seen)
    np.minimum.at(nearest, rows, path.nearest(tracks.states[rows, steps])[0])
    nearest[0] = -1.0
    order = np.argsort(nearest, kind="stable")
    seen = order[np.isfinite(nearest[order])]
    order = seen[:most]
    ids = tuple(tracks.ids[row] for row in order)
    kept = replace(tracks, states=tracks.states[order], size=tracks.size[order], kind=tracks.kind[order], ids=ids)
    return kept, len(seen) - len(order)


def log_of(tracks: Tracks, ego_along: Float64s, sizes: Sizes) -> tuple[Log, int]:
    """Encode tracks that are already relative to the scene's centre, kept agents only.

    Gives the record and how many states lie beyond 655 m, which 16 bits cannot tell; they count as not seen.
    """
    count, steps = tracks.states.shape[:2]
    x, y, _, heading, vx, vy = np.moveaxis(tracks.states, 2, 0)
    values = np.stack([x / PLACE_M, y / PLACE_M, np.cos(heading) / DIRECTION, np.sin(heading) / DIRECTION])
    values = np.concatenate([values, np.clip(np.stack([vx, vy]) / SPEED_MPS, -_LARGEST, _LARGEST)])
    seen = np.isfinite(values).all(axis=0)
    reachable = seen & (np.abs(np.nan_to_num(values)) <= _LARGEST).all(axis=0)
    values = np.where(reachable, values, [[[NOWHERE]], *[[[0]]] * 5])
    states = np.zeros((sizes.steps, 6, sizes.agents), np.int16)
    states[:, 0] = NOWHERE
    states[:steps, :, :count] = np.rint(values).transpose(2, 0, 1)
    return (
        Log(
            states=states,
            sizes=_padded(tracks.size[:, :2].astype(np.float32), sizes.agents),
            heights=_padded(tracks.size[:, 2].astype(np.float32), sizes.agents),
            kinds=_padded(tracks.kind, sizes.agents),
            ego=_padded_with_last(_ego(tracks, ego_along), sizes.steps),
            steps=np.array(steps, np.int32),
        ),
        int((seen & ~reachable).sum()),
    )


def _ego(tracks: Tracks, along: Float64s) -> Float64s:
    """[T, 5] as Log tells; the speed is along the heading, negative backwards."""
    x, y, _, heading, vx, vy = tracks.states[0].T
    speed = vx * np.cos(heading) + vy * np.sin(heading)
    return np.stack([x, y, heading, speed, along], axis=1)


def _padded(values: NDArray[np.generic], length: int) -> NDArray[np.generic]:
    return np.concatenate([values, np.zeros((length - len(values), *values.shape[1:]), values.dtype)])


def _padded_with_last(values: Float64s, length: int) -> NDArray[np.float32]:
    rows = np.minimum(np.arange(length), len(values) - 1)
    return np.asarray(values[rows], np.float32)
