{{- /* What the operator may do where runs are. It reads no Secret. */}}
{{- define "automl.rights" -}}
rules:
  - apiGroups: [automl.hivetrain.ai]
    resources: [minerruns]
    verbs: [list, watch, delete] # deleted when ttlSecondsAfterFinished is over
  - apiGroups: [automl.hivetrain.ai]
    resources: [validators]
    verbs: [list, watch]
  - apiGroups: [automl.hivetrain.ai]
    resources: [minerruns/status, validators/status]
    verbs: [patch]
  - apiGroups: [batch]
    resources: [jobs]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, watch]
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [list, watch, get, create, patch, delete]
  - apiGroups: [""]
    resources: [services]
    verbs: [list, watch, create, patch, delete] # deleted when no run publishes any more
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [list, watch, create, patch]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [apps]
    resources: [statefulsets]
    verbs: [list, watch, create, patch, delete]
  - apiGroups: [resource.k8s.io]
    resources: [resourceclaimtemplates]
    verbs: [get, create, patch] # where a run asks for a device class
  - apiGroups: [""]
    resources: [events]
    verbs: [list, watch]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create, patch] # patched when the same happens again
{{- end }}

{{- /* To whom a role of this kind and name is given: (list . KIND NAME ACCOUNT). */}}
{{- define "automl.granted" -}}
{{- $top := index . 0 -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ include "automl.prefix" $top }}-{{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "automl.prefix" $top }}-{{ index . 3 }}
    namespace: {{ $top.Release.Namespace }}
{{- end }}
