"""The routes: each parses, makes one call of the platform, and answers with a schema."""
