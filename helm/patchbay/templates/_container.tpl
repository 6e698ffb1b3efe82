{{/* The container and its volumes, for the chart's own pods and for those that have it as a sidecar. */}}

{{- define "patchbay.probe" -}}
httpGet:
  path: {{ .path }}
  port: admin
{{ toYaml .times }}
{{- end -}}

{{/* Takes root and sidecar. */}}
{{- define "patchbay.container" -}}
{{- $v := .root.Values -}}
name: patchbay
image: {{ include "patchbay.image" .root | quote }}
imagePullPolicy: {{ $v.image.pullPolicy }}
{{- if .sidecar }}
restartPolicy: Always
{{- end }}
args: [run, -c, /etc/patchbay/patchbay.yaml]
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- with $v.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $v.secrets.env }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
ports:
  - name: admin
    containerPort: {{ $v.config.admin.port | int }}
  {{- range include "patchbay.listenPorts" (dict "root" .root) | fromJsonArray }}
  - name: ari-{{ int . }}
    containerPort: {{ int . }}
  {{- end }}
startupProbe:
  {{- include "patchbay.probe" (dict "path" "/livez" "times" $v.probes.startup) | nindent 2 }}
livenessProbe:
  {{- include "patchbay.probe" (dict "path" "/livez" "times" $v.probes.liveness) | nindent 2 }}
{{- if or (not .sidecar) $v.sidecar.gatesPod }}
readinessProbe:
  {{- include "patchbay.probe" (dict "path" "/readyz" "times" $v.probes.readiness) | nindent 2 }}
{{- end }}
{{- if and (not .sidecar) (gt (int $v.preStopSeconds) 0) }}
lifecycle:
  preStop:
    exec:
      command: [node, -e, "setTimeout(() => {}, {{ mul 1000 $v.preStopSeconds }})"]
{{- end }}
resources:
  {{- toYaml $v.resources | nindent 2 }}
securityContext:
  {{- toYaml $v.securityContext | nindent 2 }}
volumeMounts:
  - name: patchbay-config
    mountPath: /etc/patchbay
    readOnly: true
  {{- range $folder, $_ := $v.secrets.files }}
  - name: patchbay-secret-{{ $folder }}
    mountPath: /run/secrets/{{ $folder }}
    readOnly: true
  {{- end }}
  {{- with $v.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Takes root and sidecar. Modes are 0440 and 0444: the user of a sidecar is in no group of its pod's volumes. */}}
{{- define "patchbay.volumes" -}}
{{- $v := .root.Values -}}
{{- $sidecar := .sidecar -}}
- name: patchbay-config
  configMap:
    name: {{ include "patchbay.fullname" .root }}
{{- range $folder, $name := $v.secrets.files }}
- name: patchbay-secret-{{ $folder }}
  secret:
    secretName: {{ $name }}
    defaultMode: {{ $sidecar | ternary 292 288 }}
{{- end }}
{{- with $v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* For charts that have this one as a dependency: `include "patchbay.sidecar.container" .Subcharts.patchbay`. An item of initContainers. */}}
{{- define "patchbay.sidecar.container" -}}
{{- include "patchbay.container" (dict "root" . "sidecar" true) -}}
{{- end -}}

{{/* Items of volumes that go with it. */}}
{{- define "patchbay.sidecar.volumes" -}}
{{- include "patchbay.volumes" (dict "root" . "sidecar" true) -}}
{{- end -}}
