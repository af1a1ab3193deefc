"""Names, configs and weights of the models in the index; importing it imports nothing heavy."""
