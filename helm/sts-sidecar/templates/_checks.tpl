{{- /* Fails with a message for values that each are right and do not go together. Renders nothing. */ -}}
{{- define "sts-sidecar.checks" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.state.redis.existingSecret) -}}
{{- with include "sts-sidecar.needsSharedState" . -}}
{{- fail (printf "replicaCount: %d pods need state.redis.existingSecret, because %s, and without a Redis each pod knows only what it saw itself" (int $.Values.replicaCount) .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.control.enabled -}}
{{- $ports := dict "ports.s3" .Values.ports.s3 "ports.admin" .Values.ports.admin -}}
{{- if eq .Values.mode "sidecar" }}{{ $_ := set $ports "store.port" .Values.store.port }}{{ end -}}
{{- range $name, $port := $ports -}}
{{- if eq (int $port) 9091 -}}
{{- fail (printf "%s: 9091 is the port of control" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with include "sts-sidecar.memoryMebibytes" . -}}
{{- if lt (int .) 192 -}}
{{- fail (printf "resources.limits.memory: %s MiB are too few: the sidecar takes 110 when it is idle, and 192 are the least" .) -}}
{{- end -}}
{{- end -}}
{{- with .Values.limits -}}
{{- if ge (int64 (default 64 .maxUnauthenticated)) (int64 (default 10000 .maxConnections)) -}}
{{- fail "limits.maxUnauthenticated: must be below limits.maxConnections, or strangers can take every connection" -}}
{{- end -}}
{{- end -}}
{{- include "sts-sidecar.checkMetadata" . -}}
{{- end -}}

{{- /* Why what one pod saw has to count for all; empty where it does not. */ -}}
{{- define "sts-sidecar.needsSharedState" -}}
{{- $reasons := list -}}
{{- range .Values.directory.users -}}
{{- if .mfaDevices }}{{ $reasons = append $reasons (printf "a one-time code of user %s is good once" .name) }}{{ end -}}
{{- end -}}
{{- range .Values.directory.identityProviders -}}
{{- if eq .kind "saml" }}{{ $reasons = append $reasons (printf "an assertion of SAML provider %s is good once" .name) }}{{ end -}}
{{- end -}}
{{- first (append $reasons "") -}}
{{- end -}}

{{- define "sts-sidecar.checkMetadata" -}}
{{- $files := keys .Values.samlMetadata -}}
{{- range .Values.existingSamlMetadata -}}
{{- range .keys -}}
{{- if has . $files -}}
{{- fail (printf "existingSamlMetadata: the file %s is given twice" .) -}}
{{- end -}}
{{- $files = append $files . -}}
{{- end -}}
{{- end -}}
{{- range .Values.directory.identityProviders -}}
{{- if and (eq .kind "saml") .metadataFile (not (hasPrefix "/" .metadataFile)) (not (has .metadataFile $files)) -}}
{{- fail (printf "directory.identityProviders: the metadataFile %s of %s is neither in samlMetadata nor in existingSamlMetadata" .metadataFile .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
