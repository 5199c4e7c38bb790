"""The rules that tests/tidy checks."""
