{{- /* Labels and annotations of the pods of a part: (list . "operator"). */}}
{{- define "automl.podMetadata" -}}
{{- $values := get (index . 0).Values (index . 1) -}}
labels:
  {{- include "automl.selector" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* What the user says of the pods of a part: (list . "operator"). */}}
{{- define "automl.pod" -}}
{{- $top := index . 0 }}{{ $values := get $top.Values (index . 1) -}}
serviceAccountName: {{ include "automl.prefix" $top }}-{{ index . 1 }}
enableServiceLinks: false
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $top.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- range $field := list "affinity" "nodeSelector" "priorityClassName" "tolerations" }}
{{- with get $values $field }}
{{ dict $field . | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{- /* The pages that say whether a program works, by the name of their port. */}}
{{- define "automl.probes" -}}
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 2
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 20
  timeoutSeconds: 5
{{- end }}

{{- /* Pods of this part of which one at a time may be taken away: (list . "operator"). */}}
{{- define "automl.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "automl.prefix" (index . 0) }}-{{ index . 1 }}
  {{- include "automl.marks" . | nindent 2 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "automl.selector" . | nindent 6 }}
{{- end }}
