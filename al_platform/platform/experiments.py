"""A/B experiments and their reports."""

from pathlib import Path
from typing import Literal

from al_platform.catalog import experiments as experiment_catalog
from al_platform.catalog.experiments import ExperimentSummary, all_experiments, experiment_spec
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json
from al_platform.errors import NotFound
from al_platform.experiments.ab import Bench, result_of, run_experiment
from al_platform.experiments.design import make_design
from al_platform.experiments.records import ExperimentResult, ExperimentSpec
from al_platform.experiments.report import write_report
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context


def run_ab(platform: Platform, spec: ExperimentSpec) -> tuple[ExperimentResult, Path]:
    """Run an A/B test, or go on with it, and write its report; gives the result and the report's path."""
    result = run_experiment(_bench(platform), spec)
    return result, write_report(result, _folder(platform, result.experiment_id))


def report_again(platform: Platform, experiment_id: str) -> Path:
    """Write the report of an experiment anew from the catalog, as far as it is.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        spec = record_from_json(ExperimentSpec, experiment_spec(tx, experiment_id))
    bench = _bench(platform)
    design = make_design(bench.context, spec, annotator=bench.annotator, oracle=bench.oracle)
    return write_report(result_of(bench.context, spec, design), _folder(platform, experiment_id))


def list_experiments(platform: Platform) -> list[dict[str, object]]:
    """Give id, points and date of every experiment, newest first."""
    with platform.catalog.transaction() as tx:
        return all_experiments(tx)


def experiments_page(platform: Platform, page: PageRequest) -> Page[ExperimentSummary]:
    """Give experiments, newest first."""
    with platform.catalog.transaction() as tx:
        return experiment_catalog.experiments_page(tx, page)


def experiment(platform: Platform, experiment_id: str) -> ExperimentSpec:
    """Give what an experiment compares.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        return record_from_json(ExperimentSpec, experiment_spec(tx, experiment_id))


def written_report(platform: Platform, experiment_id: str, name: Literal["report.html", "summary.json"]) -> str:
    """Give the page or the numbers of the report as they were last written.

    Raises: NotFound for an unknown id, or where no report was written yet.
    """
    experiment(platform, experiment_id)
    path = _folder(platform, experiment_id) / name
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"report of experiment {experiment_id}: not written yet; `alp report {experiment_id}` writes it"
        ) from None


def _bench(platform: Platform) -> Bench:
    return Bench(
        context=loop_context(platform),
        annotator=OfflineAnnotator(platform.sealed, platform.blobs),
        oracle=Oracle(platform.sealed),
    )


def _folder(platform: Platform, experiment_id: str) -> Path:
    return platform.settings.reports_folder / experiment_id
