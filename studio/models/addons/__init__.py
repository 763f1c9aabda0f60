"""What is put onto a loaded model for one job, and taken off again: LoRAs, embeddings, a VAE."""
