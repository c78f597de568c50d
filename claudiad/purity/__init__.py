"""What may reach the voice. Pure."""
