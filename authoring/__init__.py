"""Lessons: written once, built into two notebooks."""
