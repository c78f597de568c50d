"""claudiad: the voice of a robot dog."""

__version__ = "0.1.0"
