"""Lesson 01: what do two satellites see of one place?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("01", "sentinels", "What do two satellites see of one place?", 45)
