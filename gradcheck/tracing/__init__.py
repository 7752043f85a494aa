"""A NumPy forward recorded once as a jaxpr, and what can be computed from that recording."""
