"""The virtual fleet: rendered street frames with exact masks, for trials without recordings."""
