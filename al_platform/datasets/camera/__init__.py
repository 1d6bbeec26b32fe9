"""The virtual fleet's cameras: frames of generated traffic as a perception data set."""
