"""Language models: asked within a budget, read while they write, believed only as far as the registry goes."""
