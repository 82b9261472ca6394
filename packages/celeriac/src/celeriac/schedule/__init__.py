"""Schedules: rules that submit a task at times.

Kinds and their rules are pure; :mod:`celeriac.schedule.store` keeps schedules in Redis, and the scheduler service
fires them.
"""
