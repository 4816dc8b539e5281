"""How the small SAM is trained."""
