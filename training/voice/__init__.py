"""The voice that comes with the project, made from nothing."""
