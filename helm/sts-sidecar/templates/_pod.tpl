{{- /* The sidecar's container, without what differs between the modes. */ -}}
{{- define "sts-sidecar.container" -}}
name: sts-sidecar
image: {{ include "sts-sidecar.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
args:
  - serve
  - --config
  - /etc/sts-sidecar/sidecar.yaml
  {{- with .Values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- if .Values.backend.existingSecret }}
  - name: BACKEND_ACCESS_KEY_ID
    valueFrom:
      secretKeyRef:
        name: {{ .Values.backend.existingSecret }}
        key: {{ .Values.backend.accessKeyIdKey }}
  - name: BACKEND_SECRET_ACCESS_KEY
    valueFrom:
      secretKeyRef:
        name: {{ .Values.backend.existingSecret }}
        key: {{ .Values.backend.secretAccessKeyKey }}
  {{- end }}
  {{- with include "sts-sidecar.nodeOptions" . }}
  - name: NODE_OPTIONS
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: s3
    containerPort: {{ .Values.ports.s3 }}
  - name: admin
    containerPort: {{ .Values.ports.admin }}
startupProbe:
  httpGet: { path: /livez, port: {{ .Values.ports.admin }}, scheme: {{ include "sts-sidecar.adminScheme" . }} }
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /livez, port: {{ .Values.ports.admin }}, scheme: {{ include "sts-sidecar.adminScheme" . }} }
  periodSeconds: 10
readinessProbe:
  httpGet: { path: /readyz, port: {{ .Values.ports.admin }}, scheme: {{ include "sts-sidecar.adminScheme" . }} }
  periodSeconds: 2
  failureThreshold: 1
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/sts-sidecar
    readOnly: true
  {{- if .Values.tokens.existingSecret }}
  - name: tokens
    mountPath: /var/run/sts-sidecar/tokens
    readOnly: true
  {{- end }}
  {{- if .Values.state.redis.existingSecret }}
  - name: state
    mountPath: /var/run/sts-sidecar/state
    readOnly: true
  {{- end }}
  {{- if .Values.control.enabled }}
  - name: control
    mountPath: /var/run/sts-sidecar/control
    readOnly: true
  {{- end }}
  {{- if .Values.tls.existingSecret }}
  - name: tls
    mountPath: /var/run/sts-sidecar/tls
    readOnly: true
  {{- end }}
  {{- if include "sts-sidecar.asksApiServer" . }}
  - name: api-access
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "sts-sidecar.volumes" -}}
- name: config
  {{- if .Values.existingSamlMetadata }}
  # Named keys only: the owners of these may add metadata, but not replace the configuration.
  projected:
    sources:
      - configMap: { name: {{ include "sts-sidecar.fullname" . }} }
      {{- range .Values.existingSamlMetadata }}
      - {{ hasKey . "configMap" | ternary "configMap" "secret" }}:
          name: {{ default .secret .configMap }}
          items:
            {{- range .keys }}
            - { key: {{ . | quote }}, path: {{ . | quote }} }
            {{- end }}
      {{- end }}
  {{- else }}
  configMap:
    name: {{ include "sts-sidecar.fullname" . }}
  {{- end }}
{{- with .Values.tokens.existingSecret }}
- name: tokens
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.state.redis }}
{{- if .existingSecret }}
- name: state
  secret:
    secretName: {{ .existingSecret }}
    items: [{ key: {{ .urlKey | quote }}, path: redis-url }]
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if .Values.control.enabled }}
- name: control
  secret:
    secretName: {{ .Values.control.existingSecret }}
    items: [{ key: {{ .Values.control.tokenKey | quote }}, path: token }]
    defaultMode: 0440
{{- end }}
{{- with .Values.tls }}
{{- if .existingSecret }}
- name: tls
  secret:
    secretName: {{ .existingSecret }}
    items:
      - { key: {{ .certKey | quote }}, path: tls.crt }
      - { key: {{ .keyKey | quote }}, path: tls.key }
      {{- with .clientCaKey }}
      - { key: {{ . | quote }}, path: client-ca.crt }
      {{- end }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- if include "sts-sidecar.asksApiServer" . }}
# In the sidecar's container only: the store gets no token.
- name: api-access
  projected:
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap: { name: kube-root-ca.crt, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sts-sidecar.podSettings" -}}
serviceAccountName: {{ include "sts-sidecar.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- include "sts-sidecar.topologySpread" . | trim | nindent 2 }}
{{- end }}
{{- range $name := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $.Values $name }}
{{ $name }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* "true" where an identity provider asks the API server for keys or token reviews with the pod's own token. */ -}}
{{- define "sts-sidecar.asksApiServer" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- range ($settings.directory | default dict).identityProviders -}}
{{- if hasKey . "apiServer" }}true{{ end -}}
{{- end -}}
{{- end -}}
