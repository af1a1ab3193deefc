"""Scripts that prepare data sets, one folder each."""
