"""The only door to data."""
