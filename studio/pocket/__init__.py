"""Pocket: a small latent-diffusion model and the drawn world it learns from."""
