"""The command line: `alp`. Parses, calls the platform, prints."""
