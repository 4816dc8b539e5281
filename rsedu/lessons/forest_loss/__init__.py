"""Lesson 08: how much forest was lost, and when?"""

from rsedu.course.registry import Lesson

LESSON = Lesson("08", "forest_loss", "How much forest was lost, and when?", 60)
STARTERS = (
    Lesson("08a", "scale", "Do features at several pixel sizes find more?", 80),
    Lesson("08b", "clouds", "What do two sensors know when clouds hide one?", 80),
    Lesson("08c", "clicks", "How many hectares does a minute of clicking buy?", 80),
    Lesson("08d", "one_shot", "Does one example find the loss of a whole scene?", 80),
)
