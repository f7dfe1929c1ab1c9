{{- /* The memory limit of the sidecar's container in whole MiB; empty where it has none. */ -}}
{{- define "sts-sidecar.memoryMebibytes" -}}
{{- with ((.Values.resources | default dict).limits | default dict).memory -}}
{{- $quantity := toString . -}}
{{- /* A number of values.yaml can come as 3.3554432e+08. */ -}}
{{- if not (kindIs "string" .) }}{{ $quantity = toString (int64 .) }}{{ end -}}
{{- $number := regexFind "^[0-9.]+" $quantity -}}
{{- $unit := trimPrefix $number $quantity -}}
{{- $bytes := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- floor (divf (mulf (float64 $number) (get $bytes $unit)) 1048576) -}}
{{- end -}}
{{- end -}}

{{- /*
Bounds V8's heap: two fifths of the memory limit for the old space, the rest for buffers, connections and the program. By
itself Node takes more than is left of a small limit. The young space is named too, because Node makes it tiny beside an
old space that is given. Empty without a limit, and where extraEnv says otherwise.
*/ -}}
{{- define "sts-sidecar.nodeOptions" -}}
{{- $isGiven := false -}}
{{- range .Values.extraEnv }}{{ if eq .name "NODE_OPTIONS" }}{{ $isGiven = true }}{{ end }}{{ end -}}
{{- $memory := include "sts-sidecar.memoryMebibytes" . -}}
{{- if and $memory (not $isGiven) -}}
--max-old-space-size={{ int (floor (mulf (float64 $memory) 0.4)) }} --max-semi-space-size=16
{{- end -}}
{{- end -}}
