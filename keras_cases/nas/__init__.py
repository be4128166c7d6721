"""Neural architecture search: one small space of cells, and three ways to search it."""
