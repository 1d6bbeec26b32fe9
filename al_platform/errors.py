"""Every error the platform raises on purpose. Each message names the value and the cure."""


class PlatformError(Exception):
    """Base of all expected errors; the CLI prints the message without a traceback."""


class InvalidInput(PlatformError):
    """A value that came from outside cannot be used; the message names it and says what would be accepted."""


class BrokenRecording(InvalidInput):
    """A recording of traffic, or a scene of it, cannot be used: the kind of trouble, and what gave it away."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class NotFound(PlatformError):
    """An id or name that nothing in the catalog carries."""


class CatalogLocked(PlatformError):
    """Another process owns the catalog file."""


class CatalogBusy(PlatformError):
    """Another change of the same rows was under way; nothing of this one was kept, and it may be tried again."""


class CatalogTooNew(PlatformError):
    """The catalog was written by a newer version of the platform."""


class StorageUnavailable(PlatformError):
    """A blob could not be read or written (missing, read-only, full)."""


class CorruptBlob(StorageUnavailable):
    """The bytes in storage do not hash to their name."""


class CorruptScores(StorageUnavailable):
    """A file of scores is torn, changed, or not what its name says."""


class NonFiniteScore(PlatformError):
    """A score was NaN or infinite; the round stops before anything is selected."""


class TrainingDiverged(PlatformError):
    """A member's loss became NaN before it was ever measured; no ensemble comes out."""


class LabelingUnavailable(PlatformError):
    """A labelling tool is down, refuses us or answers what it should not; the tasks wait and nothing is lost."""


class ComputeUnavailable(PlatformError):
    """The cluster that computes does not answer or refuses us; the work waits and nothing is lost."""


class MissingExtra(PlatformError):
    """An optional dependency is needed and not installed."""


class Conflict(PlatformError):
    """What is asked for does not fit the state that its object is in."""


class StaleVersion(PlatformError):
    """The object was changed since the caller read it."""


class IdempotencyMismatch(PlatformError):
    """An idempotency key came again with another request."""


class Unauthenticated(PlatformError):
    """No key or token came with a request, or one that is not valid."""


class Stopped(PlatformError):
    """Long work was told to stop; what it finished is kept."""


class Closing(Stopped):
    """The process that waits for long work ends; work in other processes goes on without it."""


class JobFailed(PlatformError):
    """A process that computed for us died without a word of its own; what it finished is kept."""


def error_named(name: str, message: str) -> PlatformError:
    """Give the error of this kind, as another process named it; a kind that is not known here is a JobFailed."""
    return _kinds(PlatformError).get(name, JobFailed)(message)


def _kinds(base: type[PlatformError]) -> dict[str, type[PlatformError]]:
    found = {base.__name__: base}
    for kind in base.__subclasses__():
        found.update(_kinds(kind))
    return found
