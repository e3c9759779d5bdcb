{{- /*
How spot nodes are labelled. Those that are tainted have a taint of the same name.
*/}}
{{- define "fleet.spots" -}}
aks: {label: kubernetes.azure.com/scalesetpriority, value: spot}
eks: {label: eks.amazonaws.com/capacityType, value: SPOT}
gke: {label: cloud.google.com/gke-spot, value: "true"}
karpenter: {label: karpenter.sh/capacity-type, value: spot}
{{- end }}
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
{{- range $ours, $field := dict "gpu" "gpu" "islands" "replicas" "profile" "profile" "suspend" "suspend" }}
{{- $value := index $fleet $ours }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $spec $field $value }}
{{- end }}
{{- end }}
{{- with $fleet.spot }}
{{- $node := index (include "fleet.spots" . | fromYaml) . }}
{{- $placement := $spec.placement | default dict }}
{{- $selector := set ($placement.nodeSelector | default dict) $node.label $node.value }}
{{- $tolerations := append ($placement.tolerations | default list) (dict "key" $node.label "operator" "Exists") }}
{{- $_ := set $spec "placement" (merge (dict "nodeSelector" $selector "tolerations" $tolerations) $placement) }}
{{- end }}
{{- toYaml $spec }}
{{- end }}
