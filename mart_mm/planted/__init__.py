"""Planted affect: real media files with a known truth (tools/data/planted/README.md)."""
