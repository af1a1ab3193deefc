"""Planted affect as precomputed features."""
