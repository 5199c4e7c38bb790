"""What tests/blackbox/run does to a daemon."""
