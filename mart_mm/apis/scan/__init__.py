"""Look at every file of a data set before a run meets the broken ones."""
