"""Lesson 07: is one example enough to find the others?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("07", "one_example", "Is one example enough to find the others?", 50)
