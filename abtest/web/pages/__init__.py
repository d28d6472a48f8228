"""The pages people look at, one file per page."""
