"""What a learner's notebook calls: checks, progress, setup."""
