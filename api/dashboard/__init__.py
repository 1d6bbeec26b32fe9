"""Pages for people: rounds watched, selections looked at, the pool explored. Each page calls the platform only."""
