{{/* The job of the alerts and the dashboard, whichever way the pods are found. Takes the root. */}}
{{- define "patchbay.scrape" -}}
- port: admin
  path: /metrics
  interval: {{ .monitor.interval }}
  scrapeTimeout: {{ .monitor.scrapeTimeout }}
  relabelings:
    - targetLabel: job
      replacement: {{ include "patchbay.fullname" .root }}
{{- end -}}
