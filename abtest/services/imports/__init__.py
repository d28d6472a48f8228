"""Loads exposures and conversions from files of other systems."""
