"""Real data sets, fetched on request; nothing of it is needed to run the lessons."""
