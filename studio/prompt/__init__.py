"""What a prompt says besides its words. No torch here."""
