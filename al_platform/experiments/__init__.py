"""Experiments: arms that differ in the strategy alone, paired by seed, judged on a frozen neutral test set."""
