# redis_exporter from Debian, for clusters that cannot pull oliver006/redis_exporter.
FROM debian:trixie-slim
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends prometheus-redis-exporter \
 && rm -rf /var/lib/apt/lists/*
USER 999:999
ENTRYPOINT ["prometheus-redis-exporter"]
