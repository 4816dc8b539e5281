"""One folder a lesson, named as its notebook: what it asks, and what it measures with."""
