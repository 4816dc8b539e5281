"""Pixels with a place: Sentinel-1 and Sentinel-2 scenes, real and synthetic."""
