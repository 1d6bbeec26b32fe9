"""Makes scenarios of recordings, once and before any driving: numpy in, numpy out."""

from sim.preparing.prepare import Prepared, Report, prepare

__all__ = ["Prepared", "Report", "prepare"]
