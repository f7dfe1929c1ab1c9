{{- define "sts-sidecar.injectorName" -}}
{{- printf "%s-injector" (include "sts-sidecar.fullname" .) -}}
{{- end -}}

{{- define "sts-sidecar.injectorSelector" -}}
app.kubernetes.io/name: {{ include "sts-sidecar.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: injector
{{- end -}}

{{- define "sts-sidecar.injectorLabels" -}}
{{ include "sts-sidecar.injectorSelector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sts-sidecar.injectorConfig" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- $service := include "sts-sidecar.url" . -}}
{{- $config := dict
  "apiVersion" "sts-sidecar/v1"
  "listen" "0.0.0.0:8443"
  "tls" (dict "certFile" "/var/run/sts-sidecar/injector/tls.crt" "keyFile" "/var/run/sts-sidecar/injector/tls.key")
  "route" .Values.injector.route
  "endpoint" (default $service .Values.injector.endpoint)
  "containerEndpoint" .Values.injector.containerEndpoint
  "region" (default "us-east-1" $settings.account.region)
  "audience" .Values.injector.audience
  "tokenSeconds" (int .Values.injector.tokenSeconds)
  "eksAnnotation" .Values.injector.eksAnnotation -}}
{{- $roles := include "sts-sidecar.roleArns" . | fromJsonArray -}}
{{- if $roles }}{{ $_ := set $config "roles" $roles }}{{ end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The ARNs of all roles as a JSON list; empty where the chart does not know them all. */ -}}
{{- define "sts-sidecar.roleArns" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- $arns := list -}}
{{- $directory := $settings.directory | default dict -}}
{{- range $directory.roles -}}
{{- $arns = append $arns (printf "arn:%s:iam::%s:role%s%s" (default "aws" $settings.account.partition) $settings.account.id (default "/" .path) .name) -}}
{{- end -}}
{{- /* A provider of its own role has an ARN that the sidecar makes. */ -}}
{{- range $directory.identityProviders -}}
{{- if or .rolePolicies .claimName }}{{ $arns = list }}{{ end -}}
{{- end -}}
{{- $arns | toJson -}}
{{- end -}}
