{{/* Settings of one group: (list name values), a map as YAML. */}}
{{- define "celeriac.worker.settings" -}}
{{- $group := index . 1 -}}
CELERIAC_WORKER_GROUP: {{ index . 0 }}
CELERIAC_WORKER_QUEUES: {{ join "," $group.queues | quote }}
CELERIAC_WORKER_POOL: {{ $group.pool }}
CELERIAC_WORKER_CONCURRENCY: {{ $group.concurrency | int | quote }}
CELERIAC_WORKER_PREFETCH_MULTIPLIER: {{ $group.prefetchMultiplier | int | quote }}
{{- if eq $group.pool "prefork" }}
CELERIAC_WORKER_MAX_TASKS_PER_CHILD: {{ $group.maxTasksPerChild | int | quote }}
CELERIAC_WORKER_MAX_MEMORY_PER_CHILD_KIB: {{ $group.maxMemoryPerChildKiB | int | quote }}
{{- end }}
CELERIAC_WORKER_DRAIN_SECONDS: {{ $group.shutdown.drainSeconds | int | quote }}
CELERIAC_WORKER_HOST: 0.0.0.0
CELERIAC_WORKER_PORT: "8080"
CELERIAC_TASK_TIME_LIMIT: {{ $group.timeLimitSeconds | int | quote }}
CELERIAC_TASK_SOFT_TIME_LIMIT: {{ $group.softTimeLimitSeconds | int | quote }}
{{- with $group.taskPackages }}
CELERIAC_TASK_PACKAGES: {{ join "," . | quote }}
{{- end }}
{{- end -}}

{{- define "celeriac.worker.rest" -}}
ports:
  - {name: http, containerPort: 8080}
{{- include "celeriac.probes" (list .probes "/healthz" "/readyz") | nindent 0 }}
{{- with .lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
