"""Words, numbers and charts for people."""
