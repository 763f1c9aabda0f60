"""The prompt language: text -> what the model is told at every step. No torch here."""
