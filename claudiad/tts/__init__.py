"""The voice: engines, clauses, and the mouth that speaks them."""
