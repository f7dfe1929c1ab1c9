{{- /* Fails with a message for values that each are right and do not go together. Renders nothing. */ -}}
{{- define "sts-sidecar.checks" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- range $name, $value := dict "directory" .Values.directory "directoryFile" .Values.directory "revocations" .Values.revocations -}}
{{- if and $value (hasKey $.Values.config $name) -}}
{{- fail (printf "config.%s: cannot be combined with the value %s" $name (trimSuffix "File" $name)) -}}
{{- end -}}
{{- end -}}
{{- range $section, $port := dict "server" .Values.ports.s3 "admin" .Values.ports.admin -}}
{{- if not (hasSuffix (printf ":%d" (int $port)) (get $settings $section).listen) -}}
{{- fail (printf "config.%s.listen: must have the port %d, which is a value in ports" $section (int $port)) -}}
{{- end -}}
{{- end -}}
{{- range $section := list "server" "admin" -}}
{{- $listen := (get $settings $section).listen -}}
{{- if regexMatch "^(127\\.|localhost:|\\[::1\\])" $listen -}}
{{- fail (printf "config.%s.listen: %s is reached by no probe and no Service" $section $listen) -}}
{{- end -}}
{{- end -}}
{{- include "sts-sidecar.checkScale" . -}}
{{- if ($settings.admin.tls | default dict).clientCaFile -}}
{{- fail "config.admin.tls.clientCaFile: the probes of Kubernetes show no certificate, so no pod would get ready" -}}
{{- end -}}
{{- $ports := dict "ports.s3" .Values.ports.s3 "ports.admin" .Values.ports.admin -}}
{{- if eq .Values.mode "sidecar" }}{{ $_ := set $ports "store.port" .Values.store.port }}{{ end -}}
{{- range $name, $port := $ports -}}
{{- range $other, $same := $ports -}}
{{- if and (lt $name $other) (eq (int $port) (int $same)) -}}
{{- fail (printf "%s: %d is the port of %s" $name (int $port) $other) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $section, $default := dict "control" "127.0.0.1:9091" "containerCredentials" "" -}}
{{- with get $settings $section -}}
{{- $own := .listen | default $default | splitList ":" | last -}}
{{- range $name, $port := $ports -}}
{{- if eq (toString (int $port)) $own -}}
{{- fail (printf "%s: %s is the port of %s" $name $own $section) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Two seconds until the listeners close, and up to three for what is left of audit records. */ -}}
{{- $drain := default 25 $settings.server.drainSeconds | int64 -}}
{{- if lt (int64 .Values.terminationGracePeriodSeconds) (add $drain 5) -}}
{{- fail (printf "terminationGracePeriodSeconds: must be at least %d, five more than config.server.drainSeconds" (add $drain 5)) -}}
{{- end -}}
{{- with include "sts-sidecar.memoryMebibytes" . -}}
{{- if lt (int .) 192 -}}
{{- fail (printf "resources.limits.memory: %s MiB are too few: the sidecar takes 110 when it is idle, and 192 are the least" .) -}}
{{- end -}}
{{- end -}}
{{- with $settings.server.limits -}}
{{- if ge (int64 (default 64 .maxUnauthenticated)) (int64 (default 10000 .maxConnections)) -}}
{{- fail "limits.maxUnauthenticated: must be below limits.maxConnections, or strangers can take every connection" -}}
{{- end -}}
{{- end -}}
{{- include "sts-sidecar.checkMetadata" . -}}
{{- end -}}

{{- /* Why a Redis is missing: what one pod saw has to count for all. Empty where none is needed, or one is there. */ -}}
{{- define "sts-sidecar.lacksRedis" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- $reasons := list -}}
{{- if $settings.directoryFile }}{{ $reasons = append $reasons "a user in the directoryFile may have mfaDevices" }}{{ end -}}
{{- with $settings.directory -}}
{{- range .users -}}
{{- if .mfaDevices }}{{ $reasons = append $reasons (printf "a one-time code of user %s is good once" .name) }}{{ end -}}
{{- end -}}
{{- range .identityProviders -}}
{{- if eq .kind "saml" }}{{ $reasons = append $reasons (printf "an assertion of SAML provider %s is good once" .name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if not $settings.state.redis }}{{ first (append $reasons "") }}{{ end -}}
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
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- range ($settings.directory | default dict).identityProviders -}}
{{- if and (eq .kind "saml") .metadataFile (not (hasPrefix "/" .metadataFile)) (not (has .metadataFile $files)) -}}
{{- fail (printf "directory.identityProviders: the metadataFile %s of %s is neither in samlMetadata nor in existingSamlMetadata" .metadataFile .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
