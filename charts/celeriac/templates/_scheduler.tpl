{{- define "celeriac.scheduler.settings" -}}
CELERIAC_SCHEDULER_HOST: 0.0.0.0
CELERIAC_SCHEDULER_PORT: "8080"
CELERIAC_SCHEDULER_POD_DELETION_COST: {{ .Values.scheduler.podDeletionCost | quote }}
CELERIAC_SCHEDULER_LEASE_SECONDS: {{ .Values.scheduler.leaseSeconds | quote }}
{{- end -}}

{{- define "celeriac.scheduler.rest" -}}
ports:
  - {name: http, containerPort: 8080}
{{- include "celeriac.probes" (list .Values.scheduler.probes "/healthz" "/readyz") | nindent 0 }}
{{- end -}}
