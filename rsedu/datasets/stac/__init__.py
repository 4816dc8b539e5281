"""Sentinel scenes from STAC catalogues."""
