"""Scenarios as they are answered."""

from pydantic import Field

from api.schemas.base import Out


class ScenarioOut(Out):
    """A scene of traffic: steps of 0.2 s, lengths in metres; `report` says what was mended, dropped or noticed."""

    scenario_id: str = Field(examples=["scn_0a1b2c3d4e5f6a7b8c9d0e1f"])
    dataset: str = Field(examples=["generated"])
    session_id: str
    name: str
    origin: str = Field(examples=["generated/0/17"])
    source_id: str
    steps: int
    agents: int
    vehicles: int
    pedestrians: int
    cyclists: int
    lights: int
    stop_signs: int
    route_m: float
    driven_m: float
    tags: list[str] = Field(examples=[["crossing-lights", "red-light-runner"]])
    report: dict[str, float] = Field(examples=[{"agents_dropped": 2.0}])


class ScenarioCountOut(Out):
    """How many scenarios and sessions match."""

    scenarios: int
    sessions: int
