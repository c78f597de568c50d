"""How the purity filter's tables were made: README.md."""
