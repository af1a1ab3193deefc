"""The command ``mart-mm``; importing it imports nothing heavy."""
