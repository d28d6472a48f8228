"""What pages show: strings and drawings, ready for a template."""
