"""Lesson 04: which detail belongs to which scale?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("04", "laplacian", "Which detail belongs to which scale?", 60)
