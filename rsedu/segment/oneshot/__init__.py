"""One example finds the others: PerSAM and PerSAM-F."""
