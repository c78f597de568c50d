"""Understanding: text and state in, a decision out. Pure."""
