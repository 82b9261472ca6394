{{/* The containers of a Redis pod. */}}
{{- define "celeriac.redis.containerEnv" }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: SELF
  value: $(POD_NAME).{{ include "celeriac.redis.domain" . }}
- name: FIRST
  value: {{ include "celeriac.name" (list . "redis") }}-0
- name: MEMBERS
  value: {{ include "celeriac.redis.members" . }}
- name: MASTER_SET
  value: {{ .Values.redis.masterSet }}
- name: QUORUM
  value: "2"
- name: DOWN_AFTER_MILLISECONDS
  value: {{ .Values.redis.sentinel.downAfterMilliseconds | int | quote }}
- name: RETURN_SECONDS
  value: {{ div (.Values.redis.sentinel.rebootDownAfterMilliseconds | int) 1000 | quote }}
- name: REDISCLI_AUTH
  valueFrom: {secretKeyRef: {name: {{ include "celeriac.redis.secret" . }}, key: {{ .Values.redis.auth.passwordKey }}}}
- name: SENTINEL_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "celeriac.redis.secret" . }}, key: {{ .Values.redis.auth.sentinelPasswordKey }}}}
{{- end }}
{{- define "celeriac.redis.mounts" }}
- {name: data, mountPath: /data}
- {name: config, mountPath: /config, readOnly: true}
- {name: scripts, mountPath: /scripts, readOnly: true}
{{- end }}
{{- define "celeriac.redis.sentinel" }}
# A native sidecar: it is there before Redis asks it and after Redis hands over its mastership.
- name: sentinel
  image: {{ include "celeriac.foreignImage" .Values.redis.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  restartPolicy: Always
  command: [sh, /scripts/sentinel.sh]
  env:
    {{- include "celeriac.redis.containerEnv" . | trim | nindent 4 }}
  ports:
    - {name: sentinel, containerPort: 26379}
  startupProbe: # a set that starts for the first time has its members wait for one another
    exec: {command: [sh, /scripts/probe.sh, sentinel]}
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: 300
  livenessProbe:
    exec: {command: [sh, /scripts/probe.sh, sentinel]}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    exec: {command: [sh, /scripts/probe.sh, sentinel]}
    periodSeconds: 10
    timeoutSeconds: 5
  resources:
    {{- toYaml .Values.redis.sentinel.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.redis.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "celeriac.redis.mounts" . | trim | nindent 4 }}
    - {name: run, mountPath: /tmp}
{{- end }}
{{- define "celeriac.redis.main" }}
- name: redis
  image: {{ include "celeriac.foreignImage" .Values.redis.image }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [sh, /scripts/redis.sh]
  env:
    {{- include "celeriac.redis.containerEnv" . | trim | nindent 4 }}
  ports:
    - {name: redis, containerPort: 6379}
  lifecycle:
    preStop:
      exec: {command: [sh, /scripts/stop.sh]}
  startupProbe: # covers the wait for a majority of Sentinels and the loading of a large file
    exec: {command: [sh, /scripts/probe.sh, live]}
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: {{ .Values.redis.startupSeconds }}
  livenessProbe:
    exec: {command: [sh, /scripts/probe.sh, live]}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    exec: {command: [sh, /scripts/probe.sh, ready]}
    periodSeconds: 3
    timeoutSeconds: 5
    failureThreshold: 2
  resources:
    {{- toYaml .Values.redis.resources | nindent 4 }}
  securityContext:
    {{- toYaml .Values.redis.securityContext | nindent 4 }}
  volumeMounts:
    {{- include "celeriac.redis.mounts" . | trim | nindent 4 }}
    - {name: run, mountPath: /run/redis}
{{- with .Values.redis.exporter }}
{{- if .enabled }}
- name: exporter
  image: {{ include "celeriac.foreignImage" .image }}
  imagePullPolicy: {{ $.Values.image.pullPolicy }}
  env:
    - name: REDIS_ADDR
      value: redis://localhost:6379
    - name: REDIS_PASSWORD
      valueFrom: {secretKeyRef: {name: {{ include "celeriac.redis.secret" $ }}, key: {{ $.Values.redis.auth.passwordKey }}}}
  ports:
    - {name: metrics, containerPort: 9121}
  livenessProbe:
    httpGet: {path: /health, port: metrics}
    periodSeconds: 30
    timeoutSeconds: 5
  readinessProbe:
    httpGet: {path: /health, port: metrics}
    timeoutSeconds: 5
  resources:
    {{- toYaml .resources | nindent 4 }}
  securityContext:
    {{- toYaml $.Values.redis.securityContext | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}
