"""The only wiring: settings in, a platform out. What the CLI and the service call.

`home` and `data` import no jax; the others do.
"""
