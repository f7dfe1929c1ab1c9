{{- define "sts-sidecar.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "sts-sidecar.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "sts-sidecar.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sts-sidecar.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sts-sidecar.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sts-sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .Values.mode }}
{{- end -}}

{{- define "sts-sidecar.labels" -}}
{{ include "sts-sidecar.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sts-sidecar.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sts-sidecar.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sts-sidecar.image" -}}
{{- include "sts-sidecar.imageName" (dict "image" .Values.image "tag" .Chart.AppVersion "global" .Values.global) -}}
{{- end -}}

{{- define "sts-sidecar.storeImage" -}}
{{- include "sts-sidecar.imageName" (dict "image" .Values.store.image "tag" "" "global" .Values.global) -}}
{{- end -}}

{{- /* Takes `image`, `tag`, which counts when the image has none, and `global`. */ -}}
{{- define "sts-sidecar.imageName" -}}
{{- $name := .image.repository -}}
{{- with (.global | default dict).imageRegistry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .tag .image.tag) -}}
{{- end -}}
{{- end -}}
