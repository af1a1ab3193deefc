"""The command that plants affect; what it plants is made by ``mart_mm.planted``."""
