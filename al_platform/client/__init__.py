"""A typed client of the HTTP service: what the command line and notebooks use against a server."""

from al_platform.client.client import Client
from al_platform.client.connection import ServiceProblem
from al_platform.client.records import FrameRecord, RoundRecord, TaskRecord

__all__ = ["Client", "FrameRecord", "RoundRecord", "ServiceProblem", "TaskRecord"]
