{{/* Name of the release's objects. Long ones end in a hash, so that two never become the same by being cut. */}}
{{- define "celeriac.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name -}}
{{- end -}}
{{- end -}}

{{/*
Name of one component's objects: (list . "worker-io"). At most 52 characters: a StatefulSet's pods carry a label of
its name and a hash of 11, an autoscaler one of "keda-hpa-" and the name, and a label holds 63.
*/}}
{{- define "celeriac.name" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $full := include "celeriac.fullname" $root -}}
{{- $room := sub 51 (len $component) | int -}}
{{- if gt (len $full) $room -}}
{{- $full = printf "%s-%s" ($full | trunc (sub $room 6 | int) | trimSuffix "-") ($full | sha256sum | trunc 5) -}}
{{- end -}}
{{- if $component -}}{{- printf "%s-%s" $full $component -}}{{- else -}}{{- $full -}}{{- end -}}
{{- end -}}

{{/* Labels that select a component's pods, for ever the same: (list . "worker" "io"). */}}
{{- define "celeriac.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- if gt (len .) 2 }}
celeriac.dev/worker-group: {{ index . 2 }}
{{- end }}
{{- end -}}

{{- define "celeriac.labels" -}}
{{- $root := index . 0 -}}
{{ include "celeriac.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: celeriac
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of a component's pods: without versions, so that an upgrade of the chart alone restarts no Redis. */}}
{{- define "celeriac.podLabels" -}}
{{ include "celeriac.selector" . }}
app.kubernetes.io/part-of: celeriac
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Reference of an image of this project: (list . .Values.api.image). */}}
{{- define "celeriac.image" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{- $registry := dig "registry" "" $image | default $root.Values.image.registry -}}
{{- $name := $image.repository -}}
{{- if $registry -}}{{- $name = printf "%s/%s" $registry $name -}}{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default (default $root.Chart.AppVersion $root.Values.image.tag) $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Reference of somebody else's image, whose tag is its own: an image of values. */}}
{{- define "celeriac.foreignImage" -}}
{{- if .digest -}}{{- printf "%s@%s" .repository .digest -}}{{- else -}}{{- printf "%s:%s" .repository .tag -}}{{- end -}}
{{- end -}}

{{/* Name of a component's ServiceAccount: (list . "worker-io" $values.serviceAccount). */}}
{{- define "celeriac.serviceAccount" -}}
{{- $account := index . 2 -}}
{{- if $account.create -}}
{{- default (include "celeriac.name" (list (index . 0) (index . 1))) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}
