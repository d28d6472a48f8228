"""Use cases: functions that take a Store."""
