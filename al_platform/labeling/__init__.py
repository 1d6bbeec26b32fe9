"""Labelling tools: who is asked, and what came back."""
