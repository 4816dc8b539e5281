"""Lesson 06: can a click outline a clearing?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("06", "prompting", "Can a click outline a clearing?", 50)
