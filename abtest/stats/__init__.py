"""Pure numbers; empty on purpose: importing counts must not import scipy."""
