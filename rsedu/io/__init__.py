"""Bytes, not pixels: files, the network, rasters on disk."""
