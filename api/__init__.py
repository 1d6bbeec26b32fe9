"""The HTTP service over the platform. Calls `al_platform` only."""
