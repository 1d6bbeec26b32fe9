"""The job of comparing two evaluations of one suite: what changed, with a clip of the scenarios that changed most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from al_platform.domain.ids import make_id
from al_platform.domain.jobs import Workplace
from al_platform.domain.judging import Change, Comparison, Evaluation
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, NotFound
from al_platform.policies.changes import (
    ByScenario,
    ComparisonSpec,
    best_of,
    by_scenario,
    changes_of,
    comparable,
    verdict_of,
    worst_of,
)
from al_platform.policies.clips import Side, clip_of
from al_platform.policies.driven import paired_differences
from al_platform.policies.results import read_drives
from al_platform.policies.suites import by_layout
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from al_platform.storage.suites import read_scenarios

KIND = "compare"
"""Of jobs that do this."""

STAGE = "clips"

_MEDIA_TYPE = "image/gif"


@dataclass(frozen=True)
class ComparisonJob:
    """Two evaluations of one suite, and what to make of them."""

    comparison_id: str
    before: Evaluation
    after: Evaluation
    scenarios_hash: str
    spec: ComparisonSpec

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"comparisons/{self.comparison_id}/job.json"

    @property
    def result_name(self) -> str:
        """Give the name of the file that holds its result."""
        return f"comparisons/{self.comparison_id}/result.json"


def make_comparison_job(
    before: Evaluation, after: Evaluation, *, scenarios_hash: str, spec: ComparisonSpec
) -> ComparisonJob:
    """Give the job of comparing two evaluations; its id is the hash of their drives and the spec."""
    content = (before.evaluation_id, before.results_hash, after.evaluation_id, after.results_hash, scenarios_hash)
    return ComparisonJob(make_id("cmp", *content, spec), before, after, scenarios_hash, spec)


def write_comparison_job(files: NamedFiles, job: ComparisonJob) -> None:
    """Put a job into storage; putting it again changes nothing."""
    keep_record(files, job.name, job)


def find_comparison(files: NamedFiles, job: ComparisonJob) -> Comparison | None:
    """Give the result of a job, None where there is none yet. Raises: CorruptBlob where it is torn."""
    return find_record(files, job.result_name, Comparison)


def run_comparison(workplace: Workplace, name: str, *, report: ReportProgress) -> None:
    """Compare, draw the clips, and store what came of it.

    Raises: NotFound for a job, a blob, or a scenario to be drawn that is not there; CorruptBlob; StorageUnavailable;
        Stopped where `report` does.
    """
    blobs, files = BlobStore(workplace.storage_url), NamedFiles(workplace.storage_url)
    job = find_record(files, name, ComparisonJob)
    if job is None:
        raise NotFound(f"comparison {name}: no such job in {files.url}; give the storage of its home")
    if job.name != name:
        raise CorruptBlob(f"{files.path(name)}: was changed; delete it, then compare again")
    if find_comparison(files, job) is not None:
        return
    scenarios = read_scenarios(blobs, job.scenarios_hash)
    before, after = (read_drives(blobs, each.results_hash, scenarios) for each in (job.before, job.after))
    differences = paired_differences(comparable(before), comparable(after))
    pairs = by_scenario(before), by_scenario(after)
    worse, better = changes_of(*pairs)
    artist = _Artist(workplace, job, pairs, blobs)
    drawn_worse = list(artist.with_clips(worse, report))
    drawn_better = list(artist.with_clips(better, report))
    comparison = Comparison(
        comparison_id=job.comparison_id,
        suite_id=job.before.suite_id,
        before=job.before.evaluation_id,
        after=job.after.evaluation_id,
        differences=differences,
        verdict=verdict_of(differences, job.spec),
        worse=tuple(drawn_worse),
        better=tuple(drawn_better),
    )
    keep_record(files, job.result_name, comparison)


@dataclass(frozen=True)
class _Artist:
    """Draws the clips of one comparison."""

    workplace: Workplace
    job: ComparisonJob
    pairs: tuple[ByScenario, ByScenario]
    blobs: BlobStore

    def with_clips(self, changes: Sequence[Change], report: ReportProgress) -> Iterator[Change]:
        """Yield the changes, the first of them with a clip."""
        job = self.job
        drawn = min(job.spec.clips, len(changes))
        scenarios = [self.pairs[0][change.scenario_id][0].driven.scenario for change in changes[:drawn]]
        layouts = by_layout(Path(self.workplace.scenarios_folder), scenarios) if scenarios else []
        stored = {scenario.scenario_id: store for store, here in layouts for scenario in here}
        for number, change in enumerate(changes[:drawn]):
            report(Progress(STAGE, number, drawn))
            store = stored[change.scenario_id]
            clip = clip_of(store[store.rows_of([change.scenario_id])[0]], self._sides(change))
            yield replace(change, clip_hash=self.blobs.put(clip, media_type=_MEDIA_TYPE).hash)
        report(Progress(STAGE, drawn, max(drawn, 1)))
        yield from changes[drawn:]

    def _sides(self, change: Change) -> tuple[Side, Side]:
        """Of the policies' drivers those who show the change: the best of one and the worst of the other."""
        before, after = (pair[change.scenario_id] for pair in self.pairs)
        worse = changes_of({change.scenario_id: before}, {change.scenario_id: after})[0]
        first, second = (best_of(before), worst_of(after)) if worse else (worst_of(before), best_of(after))
        return (
            Side(self.job.before.policy_id, first, reactive=self.job.before.spec.reactive),
            Side(self.job.after.policy_id, second, reactive=self.job.after.spec.reactive),
        )
