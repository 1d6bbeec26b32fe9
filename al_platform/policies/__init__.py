"""Driving policies: training them on the scenarios of the store, and what they are stored as."""
