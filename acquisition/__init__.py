"""Acquisition: arrays in, arrays out."""
