"""``celeriac dev``: the whole platform on one machine, started, watched and stopped as one."""
