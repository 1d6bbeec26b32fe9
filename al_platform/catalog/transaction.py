"""What every question of the catalog takes."""

import duckdb

Transaction = duckdb.DuckDBPyConnection
"""An open transaction. Made by `connection.Catalog.transaction` alone."""
