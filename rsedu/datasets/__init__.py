"""Real data sets, fetched on request."""
