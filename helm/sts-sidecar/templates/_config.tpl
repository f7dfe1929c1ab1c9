{{- /* The configuration file. Its secrets are names of variables and paths of mounted files, never values. */ -}}
{{- define "sts-sidecar.config" -}}
{{- $backend := dict
  "endpoint" (eq .Values.mode "sidecar" | ternary (printf "http://127.0.0.1:%d" (int .Values.store.port)) .Values.backend.endpoint)
  "region" .Values.backend.region
  "trailers" .Values.backend.trailers
  "credentials" (dict
    "accessKeyId" (dict "env" "BACKEND_ACCESS_KEY_ID")
    "secretAccessKey" (dict "env" "BACKEND_SECRET_ACCESS_KEY")) -}}
{{- with .Values.backend.timeouts }}{{ $_ := set $backend "timeouts" . }}{{ end -}}
{{- $keys := list -}}
{{- range .Values.tokens.keys -}}
{{- $keys = append $keys (dict "id" . "secret" (dict "file" (printf "/var/run/sts-sidecar/tokens/%s" .))) -}}
{{- end -}}
{{- $server := dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.s3)) -}}
{{- with .Values.limits }}{{ $_ := set $server "limits" . }}{{ end -}}
{{- with .Values.virtualHosts }}{{ $_ := set $server "virtualHosts" . }}{{ end -}}
{{- $config := dict
  "apiVersion" "sts-sidecar/v1"
  "server" $server
  "admin" (dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.admin)))
  "backend" $backend
  "account" .Values.account
  "tokens" (dict "sealWith" .Values.tokens.sealWith "keys" $keys)
  "directory" .Values.directory -}}
{{- with .Values.outbound }}{{ $_ := set $config "outbound" . }}{{ end -}}
{{- with .Values.log }}{{ $_ := set $config "log" . }}{{ end -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "sts-sidecar.annotations" -}}
checksum/config: {{ include "sts-sidecar.config" . | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
