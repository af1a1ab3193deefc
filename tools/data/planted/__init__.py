"""Planted affect: real media files with a known truth."""
