{{/* A component's ServiceAccount: (list . "api" $values.serviceAccount labels). */}}
{{- define "celeriac.serviceAccountObject" -}}
{{- $account := index . 2 -}}
{{- if $account.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "celeriac.serviceAccount" . }}
  labels:
    {{- index . 3 | nindent 4 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{/*
A component's PodDisruptionBudget: (list . "api" $values.podDisruptionBudget labels selector replicas). For one
replica there is none: it would only stop a node from being drained. A pod that is not healthy protects nothing.
*/}}
{{- define "celeriac.podDisruptionBudget" -}}
{{- $budget := index . 2 -}}{{- $replicas := index . 5 | int -}}
{{- if and $budget.enabled (gt $replicas 1) -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "celeriac.name" . }}
  labels:
    {{- index . 3 | nindent 4 }}
spec:
  maxUnavailable: {{ $budget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- index . 4 | nindent 6 }}
{{- end -}}
{{- end -}}
