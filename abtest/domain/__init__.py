"""What an experiment is; standard library only."""
