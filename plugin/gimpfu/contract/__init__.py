"""What every back end offers, and what all of them do alike."""
