"""What a loop does next: a rule on what is known, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from al_platform.domain.loops import Closing, LoopRound, LoopSpec
from al_platform.loop.schedule import is_missed, next_tick
from al_platform.loop.stopping import stop_reason

_LOOK_EVERY_S = 60.0
"""How often a loop looks whether the pool has grown or become free."""


@dataclass(frozen=True)
class Known:
    """What a decision rests on; all rounds are closed."""

    now: datetime
    """UTC."""
    rounds: Sequence[LoopRound]
    """Oldest first."""
    pool_frames: int
    next_at: datetime | None = None
    """The tick that the loop waits for; None before the first decision."""
    busy: str = ""
    """A round that picks from the same pool for one of the same classes; empty for none."""


@dataclass(frozen=True)
class Begin:
    """The next round begins; `next_at` is the tick after it, None without a schedule."""

    next_at: datetime | None = None


@dataclass(frozen=True)
class Wait:
    """Nothing begins yet: for so many seconds at most, and why."""

    seconds: float
    reason: str
    next_at: datetime | None = None


@dataclass(frozen=True)
class End:
    """The loop is finished, and why."""

    reason: str


def decide(spec: LoopSpec, known: Known) -> Begin | Wait | End:
    """Give what a loop does now. Missed ticks are passed over, and so is one at which the pool has not grown."""
    reason = stop_reason(spec, known.rounds)
    if reason:
        return End(reason)
    cron, tick = spec.trigger.cron, known.next_at
    if cron and (tick is None or is_missed(tick, now=known.now)):
        tick = next_tick(cron, known.now)
    if tick is not None and known.now < tick:
        return _wait_for(tick, known.now, "")
    later = next_tick(cron, known.now) if cron else None
    missing = _missing_frames(spec, known)
    if missing:
        why = f"{missing} more new frames are wanted in the pool"
        return _wait_for(later, known.now, why) if later else Wait(_LOOK_EVERY_S, why)
    if known.busy:
        return Wait(_LOOK_EVERY_S, f"round {known.busy} picks from this pool for one of these classes", tick)
    return Begin(later)


def is_closed(closing: Closing, *, done: int, labelled: int, tasks: int, waited_s: float) -> bool:
    """Say whether a round of which `done` of `tasks` are answered or withdrawn waits for no more labels."""
    late = closing.deadline_s is not None and waited_s >= closing.deadline_s and labelled > 0
    return late or done >= closing.share * tasks


def look_again_s(every_s: float, *, waited_s: float, deadline_s: float | None = None) -> float:
    """Give for how long a round rests that waits for labels; it never sleeps past its deadline.

    Whoever hears of a label may wake it earlier.
    """
    if deadline_s is None or waited_s >= deadline_s:
        return every_s
    return min(every_s, deadline_s - waited_s)


def _missing_frames(spec: LoopSpec, known: Known) -> int:
    """New frames that the pool still lacks; the first round does not ask."""
    if not known.rounds:
        return 0
    return max(0, spec.trigger.grown_by - (known.pool_frames - known.rounds[-1].pool_frames))


def _wait_for(tick: datetime, now: datetime, reason: str) -> Wait:
    text = f"{reason}; " if reason else ""
    return Wait(max((tick - now) / timedelta(seconds=1), 1.0), f"{text}waits for {tick:%Y-%m-%d %H:%M} UTC", tick)
