{{- /* What NOTES say of values by which the pods can be reached or lost. */ -}}
{{- define "sts-sidecar.unsafeOperation" -}}
{{- $settings := include "sts-sidecar.settings" . | fromYaml -}}
{{- if not .Values.networkPolicy.enabled }}
- networkPolicy.enabled is false: every pod of the cluster reaches S3, STS and the metrics.
{{- else if not .Values.networkPolicy.egress }}
- networkPolicy.egress is empty: the pods may reach any address.
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.tls) }}
- ingress.tls is empty: objects and temporary credentials cross the network outside of the cluster in plain HTTP.
{{- end }}
{{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $settings.server.trustedProxies) }}
- trustedProxies is empty: aws:SourceIp is the address of the Ingress or Gateway, for every client.
{{- end }}
{{- if eq (include "sts-sidecar.minPods" .) "1" }}
- There is one pod: while it is replaced or its node is drained, no request is answered.
{{- else if not .Values.podDisruptionBudget.enabled }}
- podDisruptionBudget.enabled is false: draining nodes may take away all pods at once.
{{- end }}
{{- if include "sts-sidecar.blocksDrains" . }}
- podDisruptionBudget never lets a pod go: nodes with one cannot be drained.
{{- end }}
{{- if .Values.extraContainers }}
- The containers of extraContainers share the sidecar's network{{ if eq .Values.mode "sidecar" }}, and can reach the store without it{{ end }}.
{{- end }}
{{- end -}}
