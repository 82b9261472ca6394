{{- define "celeriac.flower.secret" -}}
{{- default (include "celeriac.name" (list . "flower")) .Values.flower.auth.existingSecret -}}
{{- end -}}

{{- define "celeriac.flower.settings" -}}
FLOWER_PORT: "5555"
FLOWER_URL_PREFIX: {{ .Values.flower.urlPrefix | quote }}
FLOWER_BASIC_AUTH: {valueFrom: {secretKeyRef: {name: {{ include "celeriac.flower.secret" . }}, key: {{ .Values.flower.auth.key }}}}}
{{- end -}}

{{- define "celeriac.flower.rest" -}}
ports:
  - {name: http, containerPort: 5555}
{{- include "celeriac.probes" (list .Values.flower.probes (printf "%s/healthcheck" .Values.flower.urlPrefix) (printf "%s/healthcheck" .Values.flower.urlPrefix)) | nindent 0 }}
{{- end -}}
