"""Click on a scene, get an outline and its hectares: a widget, and the same by code."""

from rsedu.widget.prompter import Prompter

__all__ = ["Prompter"]
