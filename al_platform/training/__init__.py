"""Training: whole ensembles at once, calibrated, resumable, measured on frozen test sets."""
