"""Readers of recorded traffic: from the files of a public data set to `sim.recording.Recording`."""
