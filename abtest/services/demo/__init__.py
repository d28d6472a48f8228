"""Makes a database to look at: experiments in several states with made-up traffic."""
