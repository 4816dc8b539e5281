"""How the small SAM is trained: what a recipe of its own needs."""

from rsedu.segment.learning.dataset import practice
from rsedu.segment.learning.evaluation import evaluate
from rsedu.segment.learning.model import product

__all__ = ["evaluate", "practice", "product"]
