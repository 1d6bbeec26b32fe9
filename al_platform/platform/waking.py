"""Rounds that wait for people look at once when a labelling tool hints at an answer."""

from al_platform.catalog.rounds import round_named
from al_platform.catalog.runs import unfinished_runs
from al_platform.domain.rounds import RoundState
from al_platform.errors import CatalogBusy, StorageUnavailable
from al_platform.platform.entering import is_request
from al_platform.platform.service import Service


def wake_waiting(service: Service) -> None:
    """Let every round that waits for labels look now, and again where one is just reading its answers.

    A round reads them by export and watermark, so that whatever a hint said or missed, nothing comes twice or is lost.
    It looks by itself too: a hint that cannot be passed on only costs time.
    """
    try:
        for round_id in _waiting(service):
            service.runner.changed(round_id)
    except (CatalogBusy, StorageUnavailable):
        return


def _waiting(service: Service) -> list[str]:
    with service.platform.catalog.transaction() as tx:
        ids = [run.round_id for run in unfinished_runs(tx) if not is_request(run.round_id)]
        return [each for each in ids if round_named(tx, each).state in (RoundState.SELECTED, RoundState.SENT)]
