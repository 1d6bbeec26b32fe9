"""Model families: pure functions from frames to logits per class and cell."""
