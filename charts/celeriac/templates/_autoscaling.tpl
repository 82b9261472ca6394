{{/*
The lists of a queue as stock Celery names them, first served first; celeriac.keys has the same rule, and a test of the
chart compares the two.
*/}}
{{- define "celeriac.queueLists" -}}
{{- $separator := printf "%c%c" 6 22 -}}
{{- $lists := list . -}}
{{- range $step := list "3" "6" "9" -}}{{- $lists = append $lists (printf "%s%s%s" $ $separator $step) -}}{{- end -}}
{{- $lists | toJson -}}
{{- end -}}

{{/* Where KEDA finds Redis: type of trigger and its metadata, as YAML: (list . list-or-hash). */}}
{{- define "celeriac.keda.source" -}}
{{- $root := index . 0 -}}
{{- $url := ternary "sentinel://" $root.Values.externalRedis.url $root.Values.redis.enabled -}}
{{- $address := "" -}}{{- $database := "0" -}}
{{- if $root.Values.redis.enabled -}}
{{- $address = include "celeriac.redis.sentinels" $root -}}
{{- else -}}
{{- $rest := regexReplaceAll "^[a-z]+://([^@/]*@)?" $url "" -}}
{{- $address = first (splitList "/" $rest) -}}
{{- $database = default "0" (regexFind "[0-9]+$" (last (splitList "/" (printf "%s/" $rest | trimSuffix "/")))) -}}
{{- if not (contains "/" $rest) -}}{{- $database = "0" -}}{{- end -}}
{{- end -}}
type: {{ ternary "redis-sentinel" "redis" (hasPrefix "sentinel" $url) }}
metadata:
  {{- if hasPrefix "sentinel" $url }}
  addresses: {{ $address | quote }}
  sentinelMaster: {{ ternary $root.Values.redis.masterSet $root.Values.externalRedis.sentinelMaster $root.Values.redis.enabled }}
  {{- else }}
  address: {{ $address | quote }}
  {{- end }}
  databaseIndex: {{ $database | quote }}
  listName: {{ index . 1 | quote }}
  listLength: "1"
  {{- if regexMatch "^(rediss|sentinels):" $url }}
  enableTLS: "true"
  {{- end }}
{{- end -}}

{{/* What KEDA needs to log in: parameters of a TriggerAuthentication, or nothing. */}}
{{- define "celeriac.keda.parameters" -}}
{{- $secret := include "celeriac.redis.secret" . -}}
{{- if .Values.redis.enabled -}}
- {parameter: password, name: {{ $secret }}, key: {{ .Values.redis.auth.passwordKey }}}
- {parameter: sentinelPassword, name: {{ $secret }}, key: {{ .Values.redis.auth.sentinelPasswordKey }}}
{{- else -}}
{{- with .Values.externalRedis -}}
{{- if and $secret .passwordKey -}}
- {parameter: password, name: {{ $secret }}, key: {{ .passwordKey }}}
{{- end }}
{{- if and $secret .sentinelPasswordKey (hasPrefix "sentinel" .url) }}
- {parameter: sentinelPassword, name: {{ $secret }}, key: {{ .sentinelPasswordKey }}}
{{- end }}
{{- if .tls.existingSecret }}
- {parameter: ca, name: {{ .tls.existingSecret }}, key: {{ .tls.caKey }}}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
