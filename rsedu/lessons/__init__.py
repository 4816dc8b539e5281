"""Lessons: exercises and their checks, progress, and the builder of the notebooks."""
