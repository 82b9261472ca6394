{{/*
A component's NetworkPolicy: (dict "root" . "component" "api" "name" "worker-io" "labels" … "selector" …
"ingress" YAML "egress" YAML "values" $values.networkPolicy). Nothing gets in or out but what is named here.
*/}}
{{- define "celeriac.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "celeriac.name" (list .root .name) }}
  labels:
    {{- .labels | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- .selector | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- with .ingress }}
    {{- . | trim | nindent 4 }}
    {{- end }}
    {{- with .values.ingress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  egress:
    - ports: # names
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    {{- with .egress }}
    {{- . | trim | nindent 4 }}
    {{- end }}
    {{- with .values.egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* A rule that lets a component reach Redis. */}}
{{- define "celeriac.networkPolicy.toRedis" -}}
{{- if .Values.redis.enabled -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "celeriac.selector" (list . "redis") | nindent 10 }}
  ports:
    - {port: 6379}
    - {port: 26379}
{{- else -}}
- ports:
    {{- range .Values.networkPolicy.externalRedisPorts }}
    - {port: {{ . }}}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* A rule that lets Prometheus in: (list . port). */}}
{{- define "celeriac.networkPolicy.fromPrometheus" -}}
- from:
    - namespaceSelector:
        {{- toYaml (index . 0).Values.networkPolicy.monitoringNamespace | nindent 8 }}
  ports:
    - {port: {{ index . 1 }}}
{{- end -}}

{{- define "celeriac.networkPolicy.api" -}}
- ports:
    - {port: http}
  {{- with .Values.api.networkPolicy.from }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if .Values.api.networkPolicy.from }}
{{ include "celeriac.networkPolicy.fromPrometheus" (list . "http") }}
{{- end }}
{{- end -}}

{{- define "celeriac.networkPolicy.redis" -}}
- from: # the components of this release, and pods that say so
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
          app.kubernetes.io/instance: {{ .Release.Name }}
        matchExpressions:
          - {key: app.kubernetes.io/component, operator: In, values: [api, worker, scheduler, flower, redis, catalog, test]}
    - podSelector:
        matchLabels:
          celeriac.dev/redis-client: {{ .Release.Name }}
    - namespaceSelector: # KEDA counts the backlog from its own namespace
        {{- toYaml .Values.networkPolicy.kedaNamespace | nindent 8 }}
  ports:
    - {port: redis}
    - {port: sentinel}
{{- if .Values.redis.exporter.enabled }}
{{ include "celeriac.networkPolicy.fromPrometheus" (list . "metrics") }}
{{- end }}
{{- end -}}
