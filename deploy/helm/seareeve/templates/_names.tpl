{{- define "seareeve.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels of a part: list of root and the part's name. */}}
{{- define "seareeve.labels" -}}
{{- $root := index . 0 -}}
{{ include "seareeve.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end -}}

{{- define "seareeve.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: seareeve
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "seareeve.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* Where the server is, for the parts that talk to it. */}}
{{- define "seareeve.address" -}}
{{- $ingress := .Values.server.ingress -}}
{{- if .Values.address -}}
{{- .Values.address -}}
{{- else if and .Values.server.enabled $ingress.enabled $ingress.host -}}
https://{{ $ingress.host }}
{{- else if and .Values.server.enabled .Values.server.tlsSecret -}}
{{- $port := include "seareeve.port" . -}}
https://{{ include "seareeve.name" . }}-server.{{ .Release.Namespace }}.svc{{ if ne $port "443" }}:{{ $port }}{{ end }}
{{- end -}}
{{- end -}}

{{/* The port of the server's service. */}}
{{- define "seareeve.port" -}}
{{- .Values.server.service.port | default (ternary 443 80 (not (empty .Values.server.tlsSecret))) -}}
{{- end -}}

{{/* What each part's pods may be given: list of root and the part's name. */}}
{{- define "seareeve.metadata" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
labels:
  {{- include "seareeve.labels" . | nindent 2 }}
  {{- with $values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.podAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "seareeve.placing" -}}
{{- $root := index . 0 -}}
{{- $values := index $root.Values (index . 1) -}}
# Variables of every service in the namespace are nothing that it needs.
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "seareeve.restricted.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "seareeve.restricted.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "seareeve.account" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "seareeve.name" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "seareeve.labels" . | nindent 4 }}
  {{- with (index $root.Values (index . 1)).serviceAccountAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
# Pods that need a token ask for one that is short-lived and their own; nobody else who names this account gets one.
automountServiceAccountToken: false
{{- end -}}

{{- define "seareeve.binding" -}}
{{- $root := index . 0 -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "seareeve.name" $root }}-{{ index . 1 }}
  labels:
    {{- include "seareeve.labels" (list $root (index . 1)) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "seareeve.name" $root }}-{{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "seareeve.name" $root }}-{{ index . 1 }}
    namespace: {{ $root.Release.Namespace }}
{{- end -}}

{{/* A token for the API that the kubelet renews each hour, where programs look for it. */}}
{{- define "seareeve.token.mount" -}}
- name: api
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end -}}

{{- define "seareeve.token.volume" -}}
- name: api
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - {key: ca.crt, path: ca.crt}
{{- end -}}

{{/* What talks to the server: its address, and the authority of its certificate. */}}
{{- define "seareeve.server.env" -}}
- name: SEAREEVE_SERVER
  value: {{ required "set address: where the Seareeve server is, such as https://seareeve.example" (include "seareeve.address" .) | quote }}
{{- if .Values.addressAuthority }}
- name: SEAREEVE_SERVER_AUTHORITY
  value: /authority/ca.crt
{{- end }}
{{- end -}}

{{- define "seareeve.server.mount" -}}
{{- if .Values.addressAuthority }}
- name: authority
  mountPath: /authority
  readOnly: true
{{- end }}
{{- end -}}

{{- define "seareeve.server.volume" -}}
{{- if .Values.addressAuthority }}
- name: authority
  secret:
    secretName: {{ .Values.addressAuthority }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end -}}

{{- define "seareeve.join.volume" -}}
- name: join
  secret:
    secretName: {{ required "set joinSecret: the Secret with the join token" .Values.joinSecret }}
    # Not needed any more once it has joined.
    optional: true
{{- end -}}

{{/* A part's own volume: list of root and the part's name. */}}
{{- define "seareeve.data.volume" -}}
{{- $root := index . 0 -}}
{{- $kept := (index $root.Values (index . 1)).persistence -}}
- name: data
  {{- if $kept.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ $kept.existingClaim }}
  {{- else if $kept.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "seareeve.name" $root }}-{{ index . 1 }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ $kept.size }}
  {{- end }}
{{- end -}}

{{- define "seareeve.data.claim" -}}
{{- $root := index . 0 -}}
{{- $kept := (index $root.Values (index . 1)).persistence -}}
{{- if and $kept.enabled (not $kept.existingClaim) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "seareeve.name" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "seareeve.labels" . | nindent 4 }}
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: {{ $kept.size }}
  {{- with $kept.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}
