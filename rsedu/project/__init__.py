"""The group project: how much forest went, where, when, and how sure can one be?"""
