"""Lesson 03: does a model know how large a pixel is?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("03", "gsd_encodings", "Does a model know how large a pixel is?", 50)
