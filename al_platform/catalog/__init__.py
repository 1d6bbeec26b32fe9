"""The catalog: one DuckDB file, one owner process, one function per question."""
