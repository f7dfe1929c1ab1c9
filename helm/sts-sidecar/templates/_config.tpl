{{- /* The configuration file, checked. Its secrets are names of variables and paths of mounted files, never values. */ -}}
{{- define "sts-sidecar.config" -}}
{{- include "sts-sidecar.checks" . -}}
{{- include "sts-sidecar.settings" . -}}
{{- end -}}

{{- /* What the values say, overlaid with `config`. */ -}}
{{- define "sts-sidecar.settings" -}}
{{- $backend := dict
  "endpoint" (eq .Values.mode "sidecar" | ternary (printf "http://127.0.0.1:%d" (int .Values.store.port)) .Values.backend.endpoint)
  "region" .Values.backend.region
  "profile" .Values.backend.profile
  "credentials" (dict
    "accessKeyId" (dict "env" "BACKEND_ACCESS_KEY_ID")
    "secretAccessKey" (dict "env" "BACKEND_SECRET_ACCESS_KEY")) -}}
{{- with .Values.backend.trailers }}{{ $_ := set $backend "trailers" . }}{{ end -}}
{{- with .Values.backend.supports }}{{ $_ := set $backend "supports" . }}{{ end -}}
{{- with .Values.backend.timeouts }}{{ $_ := set $backend "timeouts" . }}{{ end -}}
{{- $keys := list -}}
{{- range .Values.tokens.keys -}}
{{- $keys = append $keys (dict "id" . "secret" (dict "file" (printf "/var/run/sts-sidecar/tokens/%s" .))) -}}
{{- end -}}
{{- $server := dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.s3)) -}}
{{- range $key := list "limits" "virtualHosts" "trustedProxies" -}}
{{- with index $.Values $key }}{{ $_ := set $server $key . }}{{ end -}}
{{- end -}}
{{- with .Values.tls }}{{ if .existingSecret -}}
{{- $tls := dict "certFile" "/var/run/sts-sidecar/tls/tls.crt" "keyFile" "/var/run/sts-sidecar/tls/tls.key" -}}
{{- if .clientCaKey }}{{ $_ := set $tls "clientCaFile" "/var/run/sts-sidecar/tls/client-ca.crt" }}{{ end -}}
{{- $_ := set $server "tls" $tls -}}
{{- end }}{{ end -}}
{{- $settings := dict
  "apiVersion" "sts-sidecar/v1"
  "server" $server
  "admin" (dict "listen" (printf "0.0.0.0:%d" (int .Values.ports.admin)))
  "backend" $backend
  "account" .Values.account
  "tokens" (dict "sealWith" .Values.tokens.sealWith "keys" $keys)
  "state" (include "sts-sidecar.state" . | fromYaml) -}}
{{- if not .Values.config.directoryFile }}{{ $_ := set $settings "directory" .Values.directory }}{{ end -}}
{{- if .Values.control.enabled -}}
{{- $token := dict "file" "/var/run/sts-sidecar/control/token" -}}
{{- $_ := set $settings "control" (dict "listen" "127.0.0.1:9091" "token" $token) -}}
{{- end -}}
{{- if .Values.containerCredentials.enabled -}}
{{- $container := dict "listen" "127.0.0.1:9092" -}}
{{- with .Values.containerCredentials.scopeDownPolicy }}{{ $_ := set $container "scopeDownPolicy" . }}{{ end -}}
{{- $_ := set $settings "containerCredentials" $container -}}
{{- end -}}
{{- range $key := list "revocations" "outbound" "log" -}}
{{- with index $.Values $key }}{{ $_ := set $settings $key . }}{{ end -}}
{{- end -}}
{{- $settings = deepCopy $settings -}}
{{- include "sts-sidecar.overlay" (dict "onto" $settings "from" .Values.config) -}}
{{- toYaml $settings -}}
{{- end -}}

{{- /* Merges mappings; anything else, and a reference to a secret, replaces what is there. */ -}}
{{- define "sts-sidecar.overlay" -}}
{{- $onto := .onto -}}
{{- range $key, $value := .from -}}
{{- $old := get $onto $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $old) (not (or (hasKey $old "env") (hasKey $old "file"))) -}}
{{- include "sts-sidecar.overlay" (dict "onto" $old "from" $value) -}}
{{- else -}}
{{- $_ := set $onto $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The URL of the Service. */ -}}
{{- define "sts-sidecar.url" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- printf "%s://%s.%s.svc:%d" (hasKey $settings.server "tls" | ternary "https" "http") (include "sts-sidecar.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}

{{- /* How probes and scrapes reach the admin listener: HTTP or HTTPS. */ -}}
{{- define "sts-sidecar.adminScheme" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- hasKey $settings.admin "tls" | ternary "HTTPS" "HTTP" -}}
{{- end -}}

{{- define "sts-sidecar.state" -}}
maxStalenessSeconds: {{ int .Values.state.maxStalenessSeconds }}
{{- with .Values.state.redis }}
{{- if .existingSecret }}
redis:
  url: { file: /var/run/sts-sidecar/state/redis-url }
  {{- with .caFile }}
  caFile: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The files beside each other in /etc/sts-sidecar, where the configuration's relative paths find them. */ -}}
{{- define "sts-sidecar.files" -}}
sidecar.yaml: |
  {{- include "sts-sidecar.config" . | nindent 2 }}
{{- range $name, $text := .Values.samlMetadata }}
{{ $name | quote }}: {{ $text | toJson }}
{{- end }}
{{- end -}}

{{- define "sts-sidecar.annotations" -}}
checksum/config: {{ include "sts-sidecar.files" . | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
