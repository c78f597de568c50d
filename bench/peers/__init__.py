"""Other people's programs, measured beside this one: each with requirements of its own, outside the tests."""
