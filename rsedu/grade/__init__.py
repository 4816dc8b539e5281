"""Grading: many submissions against the key, each answer run in a process of its own.

What a student's code does stays in that process; what it answered comes back as plain numbers, and
is judged here, by the same checks as in the notebooks.
"""
