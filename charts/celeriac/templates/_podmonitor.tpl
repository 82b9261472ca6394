{{/* A PodMonitor: (list . component port). */}}
{{- define "celeriac.podMonitor" -}}
{{- $root := index . 0 -}}{{- $monitor := $root.Values.metrics.podMonitor -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "celeriac.name" (list $root (index . 1)) }}
  labels:
    {{- include "celeriac.labels" (list $root (index . 1)) | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "celeriac.selector" (list $root (index . 1)) | nindent 6 }}
  podMetricsEndpoints:
    - port: {{ index . 2 }}
      path: /metrics
      interval: {{ $monitor.interval }}
      scrapeTimeout: {{ $monitor.scrapeTimeout }}
      relabelings:
        - {sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component], targetLabel: component}
        - {sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_instance], targetLabel: release}
        - {sourceLabels: [__meta_kubernetes_pod_label_celeriac_dev_worker_group], targetLabel: group}
{{- end -}}
