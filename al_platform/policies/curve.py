"""The learning curve of a policy: as a blob, and as a file beside the checkpoint while it grows."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from al_platform.domain.hashing import canonical_json
from al_platform.domain.policies import CurvePoint
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore, storage_errors, write_durably


@dataclass(frozen=True)
class Curve:
    """Points in the order of their steps."""

    points: tuple[CurvePoint, ...] = ()

    def until(self, step: int) -> "Curve":
        """Give the points up to a step: a training that goes on from there makes the later ones again."""
        return Curve(tuple(point for point in self.points if point.step <= step))

    def with_point(self, point: CurvePoint) -> "Curve":
        """Give the curve with one more."""
        return Curve((*self.points, point))


def write_curve(blobs: BlobStore, curve: Curve) -> str:
    """Store a curve and give its hash."""
    return blobs.put(canonical_json(curve).encode(), media_type="application/json").hash


def read_curve(blobs: BlobStore, curve_hash: str) -> Curve:
    """Give a stored curve.

    Raises: NotFound and CorruptBlob where the store does not hold one.
    """
    return _curve_of(blobs.get(curve_hash), f"blob {curve_hash}")


class GrowingCurve:
    """The curve of a training that is under way, in a file that is whole whatever dies when."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Curve:
        """Give what there is.

        Raises: CorruptBlob where the file was damaged.
        """
        if not self._path.exists():
            return Curve()
        with storage_errors(str(self._path)):
            return _curve_of(self._path.read_bytes(), str(self._path))

    def write(self, curve: Curve) -> None:
        """Keep the curve as it is now.

        Raises: StorageUnavailable when the disk is full or read-only.
        """
        with storage_errors(str(self._path)):
            write_durably(self._path, canonical_json(curve).encode())

    def clear(self) -> None:
        """Forget the curve of a training whose result is kept."""
        self._path.unlink(missing_ok=True)


def finite(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Give what is a number, by name: a curve holds nothing else."""
    return {name: value for name, value in values if value - value == 0.0}


def _curve_of(content: bytes, where: str) -> Curve:
    try:
        return record_from_json(Curve, content.decode())
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"{where}: holds no learning curve; delete it, then train again") from error
