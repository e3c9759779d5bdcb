{{- /* The pods of the ledger, wherever its records are. */}}
{{- define "automl.ledgerPod" -}}
{{- $values := .Values.ledger -}}
metadata:
  {{- include "automl.podMetadata" (list . "ledger") | nindent 2 }}
spec:
  {{- include "automl.pod" (list . "ledger") | nindent 2 }}
  containers:
    - name: ledger
      image: {{ include "automl.image" (list . .Values.images.slim "-slim") }}
      imagePullPolicy: {{ .Values.images.pullPolicy }}
      args:
        - ledger
        - serve
        - --kubernetes
        - --bind=0.0.0.0
        - --operator={{ .Release.Namespace }}/{{ include "automl.prefix" . }}-operator
      env:
        - name: AUTOML_LEDGER
          {{- with $values.postgres }}
          {{- if .secret }} # postgres://USER:PASSWORD@HOST/DATABASE
          valueFrom:
            secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}
          {{- else }}
          value: /ledger/ledger.db
          {{- end }}
          {{- end }}
        {{- with $values.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: ledger
          containerPort: 9092
      {{- include "automl.probes" "ledger" | nindent 6 }}
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      {{- if not $values.postgres.secret }}
      volumeMounts:
        - name: ledger
          mountPath: /ledger
      {{- end }}
{{- end }}
