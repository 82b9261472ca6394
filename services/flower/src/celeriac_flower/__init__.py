"""Flower with Celeriac's settings."""
