{{/* The groups of workers, each laid over workerDefaults: a map of name to values, as JSON. */}}
{{- define "celeriac.workers" -}}
{{- $groups := dict -}}
{{- range $name, $group := .Values.workers -}}
{{- if $group -}}
{{- $merged := mergeOverwrite (deepCopy $.Values.workerDefaults) (deepCopy $group) -}}
{{- if not $merged.queues -}}{{- $_ := set $merged "queues" (list $name) -}}{{- end -}}
{{- $_ := set $groups $name $merged -}}
{{- end -}}
{{- end -}}
{{- $groups | toJson -}}
{{- end -}}

{{/* All queues that there are: those some group consumes. */}}
{{- define "celeriac.queues" -}}
{{- $queues := deepCopy .Values.queues.more -}}
{{- range $group := include "celeriac.workers" . | fromJson -}}{{- $queues = concat $queues $group.queues -}}{{- end -}}
{{- $queues = uniq $queues | sortAlpha -}}
{{- if and $queues (not (has .Values.queues.default $queues)) -}}
{{- fail (printf "queues.default is %q, which no worker group consumes (there are: %s): runs that name no queue would wait for ever. Add it to a group's queues, or name one of those." .Values.queues.default (join ", " $queues)) -}}
{{- end -}}
{{- join "," (default (list .Values.queues.default) $queues) -}}
{{- end -}}

{{/* Settings that every process of the release shares: a map, as YAML. */}}
{{- define "celeriac.settings" -}}
CELERIAC_ENVIRONMENT: {{ .Values.environment }}
CELERIAC_LOG_FORMAT: json
CELERIAC_LOG_LEVEL: {{ .Values.logLevel }}
CELERIAC_TASK_QUEUES: {{ include "celeriac.queues" . | quote }}
CELERIAC_TASK_DEFAULT_QUEUE: {{ .Values.queues.default }}
CELERIAC_SCHEDULER_TIMEZONE: {{ .Values.scheduler.timezone }}
CELERIAC_DELIVERY_LEASE_SECONDS: {{ .Values.delivery.leaseSeconds | quote }}
CELERIAC_DELIVERY_MAX_DELIVERIES: {{ .Values.delivery.maxDeliveries | quote }}
CELERIAC_DELIVERY_DURABILITY: {{ .Values.delivery.durability }}
{{ include "celeriac.redis.env" . }}
{{- end -}}

{{/*
Environment of a container: (list . settings values), where settings is a map as YAML with what only this component
has. From weak to strong: shared settings, the component's own, env for all, env of the component.
*/}}
{{- define "celeriac.containerEnv" -}}
{{- $root := index . 0 -}}
{{- include "celeriac.env" (list $root (include "celeriac.settings" $root | fromYaml) (index . 1 | fromYaml) $root.Values.env (index . 2).env) -}}
{{- end -}}

{{/* The volume with the certificates of an external Redis, if it has one, as a list in JSON. */}}
{{- define "celeriac.tls.volumes" -}}
{{- $volumes := list -}}
{{- if and (not .Values.redis.enabled) .Values.externalRedis.tls.existingSecret -}}
{{- $volumes = append $volumes (dict "name" "redis-tls" "secret" (dict "secretName" .Values.externalRedis.tls.existingSecret)) -}}
{{- end -}}
{{- $volumes | toJson -}}
{{- end -}}

{{/* Volumes of a process of this project: (list . values). */}}
{{- define "celeriac.volumes" -}}
{{- concat (list (include "celeriac.tmp.volume" . | fromYaml)) (include "celeriac.tls.volumes" (index . 0) | fromJsonArray) | toJson -}}
{{- end -}}

{{/* Its mounts: (list . values). */}}
{{- define "celeriac.mounts" -}}
{{- $root := index . 0 -}}
{{- $mounts := list (include "celeriac.tmp.mount" . | fromYaml) -}}
{{- if and (not $root.Values.redis.enabled) $root.Values.externalRedis.tls.existingSecret -}}
{{- $mounts = append $mounts (dict "name" "redis-tls" "mountPath" "/tls" "readOnly" true) -}}
{{- end -}}
{{- concat $mounts (index . 1).extraVolumeMounts | toYaml -}}
{{- end -}}

{{/*
The rest of a container that all have alike: (list . name image settings values).
*/}}
{{- define "celeriac.container" -}}
{{- $root := index . 0 -}}{{- $v := index . 4 -}}
- name: {{ index . 1 }}
  image: {{ include "celeriac.image" (list $root (index . 2)) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  env:
    {{- include "celeriac.containerEnv" (list $root (index . 3) $v) | trim | nindent 4 }}
  {{- with $v.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  resources:
    {{- toYaml $v.resources | nindent 4 }}
  securityContext:
    {{- toYaml $v.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "celeriac.mounts" (list $root $v) | nindent 4 }}
{{- end -}}

{{/* Probes over HTTP: (list $values.probes live ready), the two being paths on port http. */}}
{{- define "celeriac.probes" -}}
{{- $p := index . 0 -}}
startupProbe:
  httpGet: {path: {{ index . 1 }}, port: http}
  {{- toYaml $p.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: {{ index . 1 }}, port: http}
  {{- toYaml $p.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: {{ index . 2 }}, port: http}
  {{- toYaml $p.readiness | nindent 2 }}
{{- end -}}
