{{/* An Ingress: (list . component $values.ingress port). */}}
{{- define "celeriac.ingress" -}}
{{- $root := index . 0 -}}{{- $ingress := index . 2 -}}
{{- $name := include "celeriac.name" (list $root (index . 1)) -}}{{- $port := index . 3 -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  labels:
    {{- include "celeriac.labels" (list $root (index . 1)) | nindent 4 }}
  {{- with $ingress.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- with $ingress.tls }}
  tls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range $ingress.hosts }}
    - host: {{ .host | quote }}
      http:
        paths:
          {{- range .paths }}
          - path: {{ .path }}
            pathType: {{ .pathType }}
            backend:
              service: {name: {{ $name }}, port: {number: {{ $port }}}}
          {{- end }}
    {{- end }}
{{- end -}}

{{/* A route of the Gateway API: (list . component $values.httpRoute port). */}}
{{- define "celeriac.httpRoute" -}}
{{- $root := index . 0 -}}{{- $route := index . 2 -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ include "celeriac.name" (list $root (index . 1)) }}
  labels:
    {{- include "celeriac.labels" (list $root (index . 1)) | nindent 4 }}
  {{- with $route.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  parentRefs:
    {{- toYaml $route.parentRefs | nindent 4 }}
  {{- with $route.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - matches:
        - path: {type: PathPrefix, value: {{ $route.path }}}
      backendRefs:
        - {name: {{ include "celeriac.name" (list $root (index . 1)) }}, port: {{ index . 3 }}}
{{- end -}}
