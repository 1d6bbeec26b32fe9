"""The markers of shards: which are finished, and whether all is there that they list."""

from pydantic import ValidationError

from al_platform.domain.records import record_from_json
from al_platform.domain.scores import ScoringJob, ShardMarker
from al_platform.errors import CorruptScores
from al_platform.storage.files import NamedFiles


def read_marker(files: NamedFiles, job: ScoringJob, shard: int) -> ShardMarker:
    """Give the marker of a shard.

    Raises: NotFound where there is none, CorruptScores where it is torn or that of another shard or model.
    """
    name = job.marker_name(shard)
    try:
        marker = record_from_json(ShardMarker, files.read(name).decode())
    except (ValidationError, UnicodeDecodeError) as error:
        raise _corrupt(files, name, "is torn") from error
    if (marker.score_id, marker.formula) != (job.score_id, job.formula):
        raise _corrupt(files, name, f"is of another model ({marker.score_id}, {marker.formula})")
    if (marker.shard, (marker.first_row, marker.rows)) != (shard, job.rows_of(shard)):
        raise _corrupt(files, name, f"says it is shard {marker.shard}, rows {marker.first_row} and {marker.rows} on")
    expected = [job.file_name(shard, index) for index in range(len(job.model.classes))]
    readable = marker.rows - len(marker.unreadable)
    if [file.path for file in marker.files] != expected or {file.rows for file in marker.files} != {readable}:
        raise _corrupt(files, name, "lists files that are not those of its shard")
    return marker


def finished_marker(files: NamedFiles, job: ScoringJob, shard: int) -> ShardMarker | None:
    """Give the marker of a shard that is finished, None where it or one of its files is not there.

    Raises: CorruptScores as `read_marker`, or naming a file that is not as long as it was.
    """
    if files.size(job.marker_name(shard)) is None:
        return None
    marker = read_marker(files, job, shard)
    sizes = {file.path: files.size(file.path) for file in marker.files}
    if None in sizes.values():
        return None
    for file in marker.files:
        if sizes[file.path] != file.bytes:
            raise _corrupt(files, file.path, f"has {sizes[file.path]} bytes, was written with {file.bytes}")
    return marker


def finished_markers(files: NamedFiles, job: ScoringJob) -> dict[int, ShardMarker]:
    """Give the markers of all finished shards, in order.

    Raises: CorruptScores as `finished_marker`, or naming a marker of a shard that the job does not have.
    """
    expected = {job.marker_name(shard).rsplit("/", 1)[-1]: shard for shard in range(job.shards)}
    there = [name for name in files.names(job.folder) if name.endswith(".json") and name != "job.json"]
    for name in there:
        if name not in expected:
            raise _corrupt(files, f"{job.folder}/{name}", f"is none of the {job.shards} shards of the job")
    found = {expected[name]: finished_marker(files, job, expected[name]) for name in there}
    return {shard: marker for shard, marker in sorted(found.items()) if marker is not None}


def _corrupt(files: NamedFiles, name: str, what: str) -> CorruptScores:
    return CorruptScores(f"{files.path(name)}: {what}; delete it, then run the round again")
