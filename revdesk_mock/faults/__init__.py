"""Faults on order: which requests, when, what happens and at which moment; rules read from JSON and checked whole."""
