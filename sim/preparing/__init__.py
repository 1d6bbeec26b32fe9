"""Makes scenarios of recordings, once and before any driving: numpy in, numpy out."""

from sim.preparing.prepare import FORMULA, Prepared, Report, prepare

__all__ = ["FORMULA", "Prepared", "Report", "prepare"]
