{{/* Settings of a test's pod, a map as YAML. */}}
{{- define "celeriac.tests.settings" -}}
API: {{ printf "http://%s:%v" (include "celeriac.name" (list . "api")) .Values.api.service.port }}
TIMEOUT_SECONDS: {{ .Values.tests.timeoutSeconds | quote }}
SUBMISSION: {{ merge (dict "name" .Values.tests.task) .Values.tests.arguments | toJson | quote }}
{{- end -}}

{{/* A test's pod: (list . name arguments weight). */}}
{{- define "celeriac.testPod" -}}
{{- $root := index . 0 -}}
{{- $values := dict "env" dict "envFrom" list "extraVolumeMounts" (list (dict "name" "tests" "mountPath" "/tests"))
      "extraVolumes" (list (dict "name" "tests" "configMap" (dict "name" (include "celeriac.name" (list $root "tests")))))
      "resources" $root.Values.tests.resources "securityContext" $root.Values.api.securityContext
      "podSecurityContext" $root.Values.api.podSecurityContext "serviceAccount" $root.Values.api.serviceAccount -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "celeriac.name" (list $root (index . 1)) }}
  labels:
    {{- include "celeriac.labels" (list $root "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-weight: {{ index . 3 | quote }}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  restartPolicy: Never
  {{- $main := include "celeriac.container" (list $root "test" $root.Values.api.image (include "celeriac.tests.settings" $root) $values) }}
  {{- include "celeriac.pod" (dict "root" $root "component" "api" "values" $values "grace" 5
        "selector" (include "celeriac.selector" (list $root "test"))
        "main" (printf "%s\n  command: %s" $main (concat (list "python" "/tests/round_trip.py") (index . 2) | toJson))
        "volumes" (include "celeriac.volumes" (list $root $values) | fromJsonArray)) | nindent 2 }}
{{- end -}}
