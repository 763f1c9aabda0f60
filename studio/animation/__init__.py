"""Animations: keyframes -> a plan of frames -> frames on the disk -> a film. Resumable.

No torch but in `studio.animation.animator` and what it is made of.
"""
