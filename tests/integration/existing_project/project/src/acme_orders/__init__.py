"""Somebody's order handling."""
