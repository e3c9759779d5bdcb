{{- /*
What every name begins with. It has at most 45 characters, so that the longest that is made of it, the name of a
StatefulSet's revision, fits a label.
*/}}
{{- define "automl.prefix" -}}
{{ .Release.Name | trimSuffix "-operator" | trunc 45 | trimSuffix "-" }}
{{- end }}

{{- /* What finds the pods of a part: (list . "operator"). */}}
{{- define "automl.selector" -}}
app.kubernetes.io/name: automl-{{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end }}

{{- /* The labels of an object of a part, and whatever else the user puts on all objects. */}}
{{- define "automl.marks" -}}
{{- $top := index . 0 -}}
labels:
  {{- include "automl.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $top.Release.Service }}
  helm.sh/chart: {{ $top.Chart.Name }}-{{ $top.Chart.Version | replace "+" "_" }}
  {{- with $top.Values.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $top.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The name of an image: (list . .Values.images.runner SUFFIX). A digest says more than a tag. */}}
{{- define "automl.image" -}}
{{- $top := index . 0 }}{{ $image := index . 1 -}}
{{- with $top.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}
{{- else }}:{{ $image.tag | default (print $top.Chart.AppVersion (index . 2)) }}
{{- end }}
{{- end }}

{{- /* Where pods find the ledger. */}}
{{- define "automl.ledger" -}}
http://{{ include "automl.prefix" . }}-ledger.{{ .Release.Namespace }}:9092
{{- end }}
