"""The paper's tables: which configs they compare, the runs, and what the runs say."""
