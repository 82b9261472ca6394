"""Loads task packages, consumes their queues, serves health and metrics."""
