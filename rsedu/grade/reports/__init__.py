"""Grades as pages and tables."""
