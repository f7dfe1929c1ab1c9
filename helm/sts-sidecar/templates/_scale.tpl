{{- /* The most pods there can be at once, updates apart. */ -}}
{{- define "sts-sidecar.maxPods" -}}
{{- if and (eq .Values.mode "gateway") .Values.autoscaling.enabled -}}
{{- int .Values.autoscaling.maxReplicas -}}
{{- else -}}
{{- int .Values.replicaCount -}}
{{- end -}}
{{- end -}}

{{- /* The fewest. */ -}}
{{- define "sts-sidecar.minPods" -}}
{{- if and (eq .Values.mode "gateway") .Values.autoscaling.enabled -}}
{{- int .Values.autoscaling.minReplicas -}}
{{- else -}}
{{- int .Values.replicaCount -}}
{{- end -}}
{{- end -}}

{{- /* Fails for numbers of pods that do not go together. Renders nothing. */ -}}
{{- define "sts-sidecar.checkScale" -}}
{{- $pods := int (include "sts-sidecar.maxPods" .) -}}
{{- if gt $pods 1 -}}
{{- with include "sts-sidecar.lacksRedis" . -}}
{{- fail (printf "%s: %d pods need state.redis.existingSecret, because %s, and without a Redis each pod knows only what it saw itself" (ternary "autoscaling.maxReplicas" "replicaCount" $.Values.autoscaling.enabled) $pods .) -}}
{{- end -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas: %d is more than autoscaling.maxReplicas, which is %d" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- $requests := ($.Values.resources | default dict).requests | default dict -}}
{{- range $resource, $target := dict "cpu" .targetCPUUtilizationPercentage "memory" .targetMemoryUtilizationPercentage -}}
{{- if and $target (not (get $requests $resource)) -}}
{{- fail (printf "autoscaling: a utilization of %s is a share of resources.requests.%s, which is not given" $resource $resource) -}}
{{- end -}}
{{- end -}}
{{- if not (or .targetCPUUtilizationPercentage .targetMemoryUtilizationPercentage .metrics) -}}
{{- fail "autoscaling: needs targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Not empty where a node with a pod of this release can never be drained. */ -}}
{{- define "sts-sidecar.blocksDrains" -}}
{{- with .Values.podDisruptionBudget -}}
{{- $pods := int (include "sts-sidecar.minPods" $) -}}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) (ne (toString .minAvailable) "") -}}
{{- $least := int .minAvailable -}}
{{- /* Kubernetes rounds a share up. */ -}}
{{- if hasSuffix "%" (toString .minAvailable) }}{{ $least = div (add (mul (int (trimSuffix "%" .minAvailable)) $pods) 99) 100 }}{{ end -}}
{{- if ge (int $least) $pods }}true{{ end -}}
{{- else if and .enabled (has (toString .maxUnavailable) (list "0" "0%")) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Constraints without a selector count the pods of this release. */ -}}
{{- define "sts-sidecar.topologySpread" -}}
{{- $selector := dict "matchLabels" (include "sts-sidecar.selectorLabels" . | fromYaml) -}}
{{- range .Values.topologySpreadConstraints }}
- {{- ternary . (set (deepCopy .) "labelSelector" $selector) (hasKey . "labelSelector") | toYaml | nindent 2 }}
{{- end }}
{{- end -}}
