"""Bytes at rest: content-addressed blobs behind any fsspec URL, record caches, and the sealed answers."""
