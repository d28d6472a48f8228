"""Makes experiments whose truth is known, and counts how often the report is right."""
