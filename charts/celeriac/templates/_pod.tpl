{{/*
Pod spec shared by all components. Takes a dict:
  root      the chart's context
  component name of the component's objects ("api", "worker-io")
  selector  its labels, as YAML
  values    its block of values
  grace     seconds from SIGTERM to SIGKILL
  main      its container, as YAML
  sidecars  containers that start before it and end after it, as YAML (optional)
  volumes   list of volumes (optional)
  token     whether its pods may speak to the Kubernetes API (optional)
Service links are off: Kubernetes would set CELERIAC_API_PORT=tcp://… in every pod of a release named celeriac.
*/}}
{{- define "celeriac.pod" -}}
{{- $root := .root -}}{{- $v := .values -}}
serviceAccountName: {{ include "celeriac.serviceAccount" (list $root .component $v.serviceAccount) }}
automountServiceAccountToken: {{ default false .token }}
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml $v.podSecurityContext | nindent 2 }}
terminationGracePeriodSeconds: {{ .grace }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
{{- if $v.topologySpreadConstraints }}
  {{- toYaml $v.topologySpreadConstraints | nindent 2 }}
{{- else }}
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $.selector | nindent 8 }}
  {{- end }}
{{- end }}
{{- if or .sidecars $v.initContainers }}
initContainers:
  {{- with .sidecars }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $v.initContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
containers:
  {{- .main | nindent 2 }}
  {{- with $v.extraContainers }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with concat (default list .volumes) $v.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Metadata of a pod template: (dict "labels" YAML "values" block "annotations" dict). */}}
{{- define "celeriac.podMetadata" -}}
labels:
  {{- .labels | nindent 2 }}
  {{- with .values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (deepCopy .values.podAnnotations) (default dict .annotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Environment as a map of name to value or {valueFrom}: no name can come twice. (list root map…): the last wins. */}}
{{- define "celeriac.env" -}}
{{- $root := first . -}}{{- $all := dict -}}
{{- range rest . -}}{{- $all = mergeOverwrite $all (deepCopy (default dict .)) -}}{{- end -}}
{{- range $name := keys $all | sortAlpha }}
{{- $value := get $all $name }}
- name: {{ $name }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ tpl (toString $value) $root | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Volumes and mounts of a writable /tmp on a read-only root, with a bound. */}}
{{- define "celeriac.tmp.volume" -}}
name: tmp
emptyDir:
  sizeLimit: 256Mi
{{- end -}}
{{- define "celeriac.tmp.mount" -}}
name: tmp
mountPath: /tmp
{{- end -}}
