{{- define "celeriac.api.settings" -}}
CELERIAC_API_HOST: 0.0.0.0
CELERIAC_API_PORT: "8000"
CELERIAC_API_SHUTDOWN_DELAY_SECONDS: {{ .Values.api.shutdown.delaySeconds | quote }}
CELERIAC_API_SHUTDOWN_GRACE_SECONDS: {{ .Values.api.shutdown.drainSeconds | quote }}
{{- end -}}

{{/* Probes need no broker: an outage of Redis takes no API pod away, it answers 503 with Retry-After. */}}
{{- define "celeriac.api.rest" -}}
ports:
  - {name: http, containerPort: 8000}
{{- include "celeriac.probes" (list .Values.api.probes "/healthz" "/readyz") | nindent 0 }}
{{- end -}}
