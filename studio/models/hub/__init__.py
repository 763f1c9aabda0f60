"""Models from Hugging Face: looked at first, then installed; nothing is asked unless told to.

`studio.models.hub.hub.Hub` is the door. Nothing is imported here: the child process, which talks to
the hub, starts the sooner for it.
"""
