from hypothesis import HealthCheck, settings

# How fast an example is says something about the machine and nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
