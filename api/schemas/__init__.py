"""What goes over the wire: every answer and every body as a pydantic model."""
