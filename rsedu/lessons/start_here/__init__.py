"""Lesson 00: why go beyond vision and language?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("00", "start_here", "Why go beyond vision and language?", 10)
