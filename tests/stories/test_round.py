"""One round from PLANNED to APPENDED: what it keeps, and what it never looks at."""

from al_platform.domain.datasets import DatasetItem
from al_platform.domain.rounds import Round, RoundState
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform
from al_platform.platform.rounds import round_details, run_one_round
from tests.fleet import START, contents, counts, outcome_of, round_spec

def test_x(platform: Platform) -> None:
    spec = round_spec(platform)
    r = run_one_round(platform, spec)
    print(outcome_of(platform, r.round_id), counts(contents(platform)))
    nodes = lineage(platform, r.dataset_version_id)
    print([(n.node_id,n.kind,n.parents) for n in nodes.values()][:20])
