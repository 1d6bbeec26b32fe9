"""Active-learning data selection for autonomous driving: ids, records and everything that touches the world."""
