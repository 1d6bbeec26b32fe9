"""The accelerated driving simulator: arrays in, arrays out. No I/O; knows nothing of the platform."""
