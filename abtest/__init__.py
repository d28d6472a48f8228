"""abtest: self-hosted A/B testing that weighs first and second conversions."""

__version__ = "0.1.0"
