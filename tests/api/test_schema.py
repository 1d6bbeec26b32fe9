"""Whatever the schema allows, and much that it does not, is answered, and never by a failure of the server."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from al_platform.settings import ServiceSettings
from api.app import create_app, guarded_routes
from tests.api.conftest import Served

EXAMPLES = 12
"""Per operation; the whole schema has about seventy."""

PATIENCE_S = 300.0
"""For a loaded machine; nothing waits so long where it works."""

MODES = schemathesis.GenerationMode

LEFT_OUT = ("watch_round", "hint_label_studio")
"""Streams, which end when a round does, and what is asked by a secret instead of a key."""


# schemathesis itself draws names by `random`
@pytest.mark.filterwarnings("ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning")
def test_no_request_that_can_be_made_up_makes_the_server_fail(shared: Served) -> None:
    with shared.http() as http:
        document = http.get("/v1/openapi.json").json()
        for operation in (entry for path in document["paths"].values() for entry in path.values()):
            operation.pop("security", None)  # else requests without a key are made up too
        schema = schemathesis.openapi.from_dict(document)
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) == sum(len(methods) for methods in document["paths"].values())
        statuses: list[int] = []
        for operation in operations:
            if operation.definition.raw["operationId"] in LEFT_OUT:
                continue

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                phases=[Phase.generate],
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=st.one_of(operation.as_strategy(), operation.as_strategy(generation_mode=MODES.NEGATIVE)))
            def ask(case: schemathesis.Case) -> None:
                headers = {"Authorization": http.headers["Authorization"]}
                answer = case.call(base_url=shared.url, headers=headers, timeout=PATIENCE_S)
                statuses.append(answer.status_code)
                case.validate_response(answer, checks=[not_a_server_error])

            ask()
    assert 401 not in statuses
    assert statuses.count(200) > len(operations)


def test_operations_have_names_of_their_own_descriptions_and_problems(shared: Served) -> None:
    document = create_app(shared.service, ServiceSettings()).openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in names)
    assert all(operation["description"] for operation in operations)
    assert all({"401", "403", "429"} <= operation["responses"].keys() for operation in operations)


def test_every_operation_with_a_key_says_that_it_needs_one(shared: Served) -> None:
    app = create_app(shared.service, ServiceSettings())
    document = app.openapi()
    for route in guarded_routes(app):
        for method in route.methods:
            operation = document["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                assert ("security" in operation) == (route.scope is not None), route.path
