{{/*
The shutdown contract. A worker that is told to stop takes no more, lets running work go on for drainSeconds, then has
marginSeconds to give the rest back; only then may the kubelet kill it. grace = drain + margin unless it is set.
*/}}
{{- define "celeriac.worker.grace" -}}
{{- $name := index . 0 -}}{{- $s := (index . 1).shutdown -}}
{{- $needed := add $s.drainSeconds $s.marginSeconds -}}
{{- $grace := default $needed $s.terminationGracePeriodSeconds | int -}}
{{- if lt $grace ($needed | int) -}}
{{- fail (printf "workers.%s.shutdown: terminationGracePeriodSeconds (%d) is below drainSeconds (%d) + marginSeconds (%d): the kubelet would kill the worker while it still gives its runs back. Raise the first or lower drainSeconds." $name $grace ($s.drainSeconds | int) ($s.marginSeconds | int)) -}}
{{- end -}}
{{- $grace -}}
{{- end -}}

{{/* Seconds an API pod has: out of the endpoints, then requests end. */}}
{{- define "celeriac.api.grace" -}}
{{- $s := .Values.api.shutdown -}}
{{- $needed := add $s.delaySeconds $s.drainSeconds $s.marginSeconds -}}
{{- $grace := default $needed $s.terminationGracePeriodSeconds | int -}}
{{- if lt $grace ($needed | int) -}}
{{- fail (printf "api.shutdown: terminationGracePeriodSeconds (%d) is below delaySeconds (%d) + drainSeconds (%d) + marginSeconds (%d): the kubelet would cut requests that are still being answered. Raise the first or lower drainSeconds." $grace ($s.delaySeconds | int) ($s.drainSeconds | int) ($s.marginSeconds | int)) -}}
{{- end -}}
{{- $grace -}}
{{- end -}}

{{/* Values that contradict each other across components. Prints nothing. */}}
{{- define "celeriac.contradictions" -}}
{{- $lease := .Values.delivery.leaseSeconds | int -}}
{{- if .Values.redis.enabled -}}
{{- $failover := add (div (.Values.redis.sentinel.downAfterMilliseconds | int) 1000) 10 | int -}}
{{- if lt $lease $failover -}}
{{- fail (printf "delivery.leaseSeconds (%d) is below the %d s that a Redis failover may take (redis.sentinel.downAfterMilliseconds + 10 s): live workers would lose their leases in every failover, and their runs would run twice. Raise leaseSeconds." $lease $failover) -}}
{{- end -}}
{{- else if not .Values.externalRedis.url -}}
{{- fail "redis.enabled is false and externalRedis.url is empty: name the Redis to use, or enable the chart's own" -}}
{{- end -}}
{{- range $name, $group := include "celeriac.workers" . | fromJson -}}
{{- $a := $group.autoscaling -}}
{{- if and (ne $a.mode "none") (gt ($a.minReplicas | int) ($a.maxReplicas | int)) -}}
{{- fail (printf "workers.%s.autoscaling: minReplicas (%d) is above maxReplicas (%d)" $name ($a.minReplicas | int) ($a.maxReplicas | int)) -}}
{{- end -}}
{{- if and (eq $a.mode "hpa") (lt ($a.minReplicas | int) 1) -}}
{{- fail (printf "workers.%s.autoscaling: an HPA cannot go to 0 (minReplicas is %d): set it to 1 or more, or mode to keda" $name ($a.minReplicas | int)) -}}
{{- end -}}
{{- if and (eq $group.pool "solo") (gt ($group.concurrency | int) 1) -}}
{{- fail (printf "workers.%s: the solo pool runs one at a time, so concurrency (%d) must be 1; take prefork, threads, gevent or asyncio for more" $name ($group.concurrency | int)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
