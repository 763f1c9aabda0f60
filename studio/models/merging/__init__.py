"""Checkpoints mixed into a new one, tensor by tensor."""
