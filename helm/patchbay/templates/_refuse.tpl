{{/* Refuses values that the schema cannot judge, for they contradict one another: all of them at once. Takes the root. */}}
{{- define "patchbay.refuse" -}}
{{- $v := .Values -}}
{{- $config := $v.config -}}
{{- $faults := list -}}
{{- if and (gt (int $v.replicaCount) 1) (ne (dig "state" "memory" $config) "jetstream") -}}
{{- $faults = append $faults (printf "replicaCount: %d pods need `config.state: jetstream`; with memory each would tell everything once more" (int $v.replicaCount)) -}}
{{- end -}}
{{- $isSharded := eq (include "patchbay.isSharded" .) "true" -}}
{{- if and (gt (int $v.shards) 1) (not $isSharded) -}}
{{- $faults = append $faults (printf "shards: there is nothing to make %d of; want links with SHARD in their names in config.links" (int $v.shards)) -}}
{{- end -}}
{{- $written := include "patchbay.config" . -}}
{{- if and $isSharded (contains "SHARD" $written) -}}
{{- $faults = append $faults (printf "config: `%s` stands where no shard is; want it in links with SHARD in their names, and in routes between them" (regexFind "[^\\s]*SHARD[^\\s]*" $written)) -}}
{{- end -}}
{{- if and $isSharded (regexMatch "(: |- |^ *)SHARD(:|\\s|$)" (toYaml $config)) -}}
{{- $faults = append $faults "config: SHARD alone would become a number; want other letters beside it" -}}
{{- end -}}
{{- if $v.autoscaling.enabled -}}
{{- if or (le (int $v.shards) 1) (not $isSharded) -}}
{{- $faults = append $faults "autoscaling.enabled: one replica takes from a link, so more pods carry no more load; want `shards` above 1" -}}
{{- end -}}
{{- if ne (dig "state" "memory" $config) "jetstream" -}}
{{- $faults = append $faults "autoscaling.enabled: several pods need `config.state: jetstream`; with memory each would tell everything once more" -}}
{{- end -}}
{{- if eq (toString (dig "store" "spreadAfterMs" 0 $config)) "0" -}}
{{- $faults = append $faults "autoscaling.enabled: a pod that comes later gets no shard of those before; want `config.store.spreadAfterMs`, such as 5000" -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[1-9][0-9]*$" (toString (dig "admin" "port" 9464 $config))) -}}
{{- $faults = append $faults "config.admin.port: want a number, for probes and Services name it" -}}
{{- end -}}
{{- if regexMatch "^(127\\.|localhost$|::1$)" (dig "admin" "host" "127.0.0.1" $config) -}}
{{- $faults = append $faults "config.admin.host: kubelet and scraper come from outside of the pod; want 0.0.0.0 or ::" -}}
{{- end -}}
{{- if not (regexMatch "^[0-9]+$" (toString (dig "stopGraceMs" 10000 $config))) -}}
{{- $faults = append $faults "config.stopGraceMs: want a number, for the grace period of the pods follows from it" -}}
{{- else -}}
{{- $needed := int (include "patchbay.stopSeconds" .) -}}
{{- $given := int $v.terminationGracePeriodSeconds -}}
{{- if and (gt $given 0) (lt $given $needed) -}}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds: a stop may take %d s, so a pod would be killed after %d; want at least %d, or 0" $needed $given $needed) -}}
{{- end -}}
{{- end -}}
{{- range include "patchbay.listeners" . | fromJsonArray -}}
{{- if not (regexMatch "^[1-9][0-9]*$" (toString .port)) -}}
{{- $faults = append $faults (printf "config.%s.port: want a number above 0, for the Service names it" .path) -}}
{{- end -}}
{{- if and (not $v.sidecar.enabled) (regexMatch "^(127\\.|localhost$|::1$)" .host) -}}
{{- $faults = append $faults (printf "config.%s.host: nobody outside of the pod reaches %s; want 0.0.0.0 or ::" .path .host) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $v.mappings.files "patchbay.yaml" -}}
{{- $faults = append $faults "mappings.files: `patchbay.yaml` is the name of the configuration; give the mapping another" -}}
{{- end -}}
{{- $bytes := add (len (toYaml $config)) (len (toYaml $v.mappings.files)) | int -}}
{{- if gt $bytes 1000000 -}}
{{- $faults = append $faults (printf "config, mappings.files: %d bytes do not fit into a ConfigMap; bring mapping files in an image of your own, or a volume" $bytes) -}}
{{- end -}}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled -}}
{{- $faults = append $faults "metrics: with serviceMonitor and podMonitor everything would be counted twice; keep one of them" -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.scrapers) (or $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled) -}}
{{- $faults = append $faults "networkPolicy.scrapers: the policy keeps Prometheus from the pods that a monitor has it scrape; want where it runs" -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled (not $v.networkPolicy.extraEgress) -}}
{{- range include "patchbay.addresses" (dict "root" . "types" (list "amqp" "nats" "ari")) | fromJsonArray -}}
{{- if contains "${" . -}}
{{- $faults = append $faults (printf "networkPolicy: the port of %s is not known here; write the address out, or add rules to extraEgress" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $v.sidecar.enabled -}}
{{- $without := dict "replicaCount above 1" (gt (int $v.replicaCount) 1) "autoscaling" $v.autoscaling.enabled "metrics.serviceMonitor" $v.metrics.serviceMonitor.enabled "networkPolicy" $v.networkPolicy.enabled -}}
{{- range $what, $isOn := $without -}}
{{- if $isOn -}}
{{- $faults = append $faults (printf "sidecar.enabled: the pods are not the chart's, so it has no %s for them" $what) -}}
{{- end -}}
{{- end -}}
{{- if and $v.metrics.podMonitor.enabled (not $v.sidecar.podLabels) -}}
{{- $faults = append $faults "sidecar.podLabels: the PodMonitor finds the pods by them; want the labels of the Asterisk's pods" -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "these values do not go together:\n%s" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}
