"""Benchmarks, each runnable alone, each printing a table. Never shipped."""
