{{- /*
The spec of a run of a fleet: (list FLEET NUMBER). What the fleet does not say is left out, so that somebody else may own
it: an autoscaler the islands, a queue the suspension.
*/}}
{{- define "fleet.spec" -}}
{{- $fleet := index . 0 }}
{{- $spec := deepCopy $fleet.spec }}
{{- $seed := $spec.search.seed | default 0 }}
{{- if not (kindIs "invalid" $fleet.seed) }}
{{- $seed = $fleet.seed }}
{{- end }}
{{- $_ := set $spec.search "seed" (add $seed (index . 1)) }}
{{- range $ours, $field := dict "gpu" "gpu" "islands" "replicas" "suspend" "suspend" }}
{{- $value := index $fleet $ours }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $spec $field $value }}
{{- end }}
{{- end }}
{{- toYaml $spec }}
{{- end }}
