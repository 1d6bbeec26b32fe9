"""Dataset adapters, ingest, and how labels become presence maps."""
