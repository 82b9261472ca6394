{{/* A Kubernetes quantity of memory in bytes. */}}
{{- define "celeriac.bytes" -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 -}}
{{- $number := regexFind "^[0-9.]+" (toString .) -}}
{{- $unit := trimPrefix $number (toString .) -}}
{{- if not (hasKey $units $unit) -}}{{- fail (printf "%s: write an amount of memory in Ki, Mi or Gi" .) -}}{{- end -}}
{{- mulf (float64 $number) (get $units $unit) | floor | int64 -}}
{{- end -}}

{{/* Half of the container's limit: rewriting the file forks, and every page written meanwhile counts twice. */}}
{{- define "celeriac.redis.maxmemory" -}}
{{- $limit := dig "limits" "memory" "" .Values.redis.resources -}}
{{- if .Values.redis.maxmemory -}}
{{- $max := include "celeriac.bytes" .Values.redis.maxmemory | int64 -}}
{{- if and $limit (gt $max (include "celeriac.bytes" $limit | int64)) -}}
{{- fail (printf "redis.maxmemory (%s) is above redis.resources.limits.memory (%s): the kernel would kill Redis before it could refuse a write. Lower the first or raise the second." .Values.redis.maxmemory $limit) -}}
{{- end -}}
{{- $max -}}
{{- else if $limit -}}
{{- div (include "celeriac.bytes" $limit | int64) 2 -}}
{{- else -}}
{{- fail "redis: set redis.maxmemory, or redis.resources.limits.memory to take half of it" -}}
{{- end -}}
{{- end -}}

{{/* Names of the three members, as pods, clients, Sentinel and KEDA call them. */}}
{{- define "celeriac.redis.domain" -}}
{{- printf "%s.%s.svc.%s" (include "celeriac.name" (list . "redis-members")) .Release.Namespace .Values.clusterDomain -}}
{{- end -}}
{{- define "celeriac.redis.members" -}}
{{- $members := list -}}
{{- range $index := until 3 -}}
{{- $members = append $members (printf "%s-%d.%s" (include "celeriac.name" (list $ "redis")) $index (include "celeriac.redis.domain" $)) -}}
{{- end -}}
{{- join " " $members -}}
{{- end -}}

{{/* host:port of each Sentinel, by comma. */}}
{{- define "celeriac.redis.sentinels" -}}
{{- $addresses := list -}}
{{- range splitList " " (include "celeriac.redis.members" .) -}}{{- $addresses = append $addresses (printf "%s:26379" .) -}}{{- end -}}
{{- join "," $addresses -}}
{{- end -}}

{{/* Where the passwords are: name of the Secret. */}}
{{- define "celeriac.redis.secret" -}}
{{- if .Values.redis.enabled -}}
{{- default (include "celeriac.name" (list . "redis")) .Values.redis.auth.existingSecret -}}
{{- else -}}
{{- .Values.externalRedis.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* How a process reaches Redis: a map of settings, as YAML. */}}
{{- define "celeriac.redis.env" -}}
{{- $secret := include "celeriac.redis.secret" . -}}
{{- if .Values.redis.enabled -}}
CELERIAC_REDIS_URL: {{ printf "sentinel://%s/0" (include "celeriac.redis.sentinels" .) | quote }}
CELERIAC_REDIS_SENTINEL_MASTER: {{ .Values.redis.masterSet }}
CELERIAC_REDIS_PASSWORD: {valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ .Values.redis.auth.passwordKey }}}}}
CELERIAC_REDIS_SENTINEL_PASSWORD: {valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ .Values.redis.auth.sentinelPasswordKey }}}}}
{{- else -}}
{{- $external := .Values.externalRedis -}}
CELERIAC_REDIS_URL: {{ $external.url | quote }}
{{- if hasPrefix "sentinel" $external.url }}
CELERIAC_REDIS_SENTINEL_MASTER: {{ $external.sentinelMaster }}
{{- end }}
{{- with $external.username }}
CELERIAC_REDIS_USERNAME: {{ . | quote }}
{{- end }}
{{- if and $secret $external.passwordKey }}
CELERIAC_REDIS_PASSWORD: {valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $external.passwordKey }}}}}
{{- end }}
{{- if and $secret $external.sentinelPasswordKey (hasPrefix "sentinel" $external.url) }}
CELERIAC_REDIS_SENTINEL_PASSWORD: {valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $external.sentinelPasswordKey }}}}}
{{- end }}
{{- if $external.tls.existingSecret }}
CELERIAC_REDIS_TLS_CA_FILE: /tls/{{ $external.tls.caKey }}
{{- with $external.tls.certKey }}
CELERIAC_REDIS_TLS_CERT_FILE: /tls/{{ . }}
{{- end }}
{{- with $external.tls.keyKey }}
CELERIAC_REDIS_TLS_KEY_FILE: /tls/{{ . }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
