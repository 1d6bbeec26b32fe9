"""The report of an experiment: one self-contained page for people, the same numbers as JSON for programs."""

from al_platform.experiments.report.page import write_report
from al_platform.experiments.report.summary import summary

__all__ = ["summary", "write_report"]
