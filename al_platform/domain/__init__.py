"""Frozen records that cross the rooms of the platform. Plain Python: no arrays, no I/O."""
