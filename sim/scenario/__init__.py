"""What the simulator reads: the record, and how it is made from a recording."""

from sim.scenario.record import Ground, Log, Roads, Route, Scenario, Sizes

__all__ = ["Ground", "Log", "Roads", "Route", "Scenario", "Sizes"]
