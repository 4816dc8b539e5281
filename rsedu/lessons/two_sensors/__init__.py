"""Lesson 05: can radar and optical images teach each other?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("05", "two_sensors", "Can radar and optical images teach each other?", 60)
