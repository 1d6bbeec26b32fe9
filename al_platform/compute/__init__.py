"""Heavy work in processes of its own: handed over by a key, watched and stopped by it, found again by it."""
