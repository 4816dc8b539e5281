"""Lesson 02: what can be learnt from pixels without labels?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("02", "masked_autoencoders", "What can be learnt from pixels without labels?", 60)
