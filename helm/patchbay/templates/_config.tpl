{{/* What follows from the gateway's own configuration. Each takes the root, or says what. */}}

{{/*
patchbay.yaml. Links that have SHARD in their names, and routes that speak of them, are there once for each shard. As text, for numbers that
were read once more would lose digits.
*/}}
{{- define "patchbay.config" -}}
{{- $config := .Values.config -}}
{{- if eq (include "patchbay.isSharded" .) "true" -}}
{{- $shards := untilStep 1 (int (add1 .Values.shards)) 1 -}}
{{ omit $config "links" "routes" | toYaml }}
links:
{{- range $name, $link := $config.links }}
{{- $text := dict $name $link | toYaml }}
{{- if contains "SHARD" $name }}
{{- range $shards }}
{{ replace "SHARD" (toString .) $text | indent 2 }}
{{- end }}
{{- else }}
{{ $text | indent 2 }}
{{- end }}
{{- end }}
routes:
{{- range $config.routes }}
{{- $text := list . | toYaml }}
{{- if contains "SHARD" $text }}
{{- range $shards }}
{{ replace "SHARD" (toString .) $text | indent 2 }}
{{- end }}
{{- else }}
{{ $text | indent 2 }}
{{- end }}
{{- end }}
{{- else -}}
{{ toYaml $config }}
{{- end -}}
{{- end -}}

{{/* Whether a link has SHARD in its name. */}}
{{- define "patchbay.isSharded" -}}
{{- keys .Values.config.links | join " " | contains "SHARD" -}}
{{- end -}}

{{/*
Where the gateway listens for others than the scraper: a JSON list of path, host, port and who comes.
*/}}
{{- define "patchbay.listeners" -}}
{{- $found := list -}}
{{- range $name, $link := .Values.config.links -}}
{{- if eq $link.type "ari-server" -}}
{{- $found = append $found (dict "path" (printf "links.%s" $name) "host" ($link.host | default "127.0.0.1") "port" ($link.port | default 8088) "who" "application") -}}
{{- else if $link.listen -}}
{{- $found = append $found (dict "path" (printf "links.%s.listen" $name) "host" ($link.listen.host | default "127.0.0.1") "port" $link.listen.port "who" "asterisk") -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Their ports, as a JSON list without repetition. Takes root, and who comes there; without it everybody's. */}}
{{- define "patchbay.listenPorts" -}}
{{- $who := .who -}}
{{- $ports := list -}}
{{- range include "patchbay.listeners" .root | fromJsonArray -}}
{{- if or (not $who) (eq $who .who) -}}
{{- $ports = append $ports (int .port) -}}
{{- end -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}

{{/* Addresses of the peers of links of these types: a JSON list. Takes root and types. */}}
{{- define "patchbay.addresses" -}}
{{- $types := .types -}}
{{- $found := list -}}
{{- range $name, $link := .root.Values.config.links -}}
{{- if has $link.type $types -}}
{{- $urls := $link.servers | default $link.url -}}
{{- $found = concat $found (kindIs "slice" $urls | ternary $urls (list $urls)) -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{/* Ports of those addresses: a JSON list without repetition. An address with a variable in it has none. */}}
{{- define "patchbay.peerPorts" -}}
{{- $defaults := dict "amqp" 5672 "amqps" 5671 "nats" 4222 "tls" 4222 "http" 80 "https" 443 -}}
{{- $ports := list -}}
{{- range include "patchbay.addresses" . | fromJsonArray -}}
{{- if not (contains "${" .) -}}
{{- $scheme := contains "://" . | ternary (splitList "://" . | first) "nats" -}}
{{- $authority := regexReplaceAll "^[a-z]+://" . "" | splitList "/" | first -}}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" -}}
{{- $ports = append $ports (int ($port | default (get $defaults $scheme))) -}}
{{- end -}}
{{- end -}}
{{- uniq $ports | toJson -}}
{{- end -}}

{{/*
Seconds that a stop may take: the wait before it, what is in flight, with other replicas also handing over, and ten
seconds for last answers, goodbyes and closing.
*/}}
{{- define "patchbay.stopSeconds" -}}
{{- $grace := div (add (int (dig "stopGraceMs" 10000 .Values.config)) 999) 1000 | int -}}
{{- $rounds := eq (dig "state" "memory" .Values.config) "jetstream" | ternary 2 1 -}}
{{- add (.Values.sidecar.enabled | ternary 0 .Values.preStopSeconds | int) (mul $rounds $grace) 10 -}}
{{- end -}}

{{/*
Names the part of the configuration that takes effect only at a start. Where files are not watched, that is all of it.
*/}}
{{- define "patchbay.restartChecksum" -}}
{{- $config := .Values.config -}}
{{- $shards := eq (include "patchbay.isSharded" .) "true" | ternary (list .Values.shards) list -}}
{{- if eq (int (dig "reload" "everyMs" 500 $config)) 0 -}}
{{- concat (list $config .Values.mappings.files) $shards | toJson | sha256sum -}}
{{- else -}}
{{- concat (omit $config "routes" "mappings" "settings" | list) $shards | toJson | sha256sum -}}
{{- end -}}
{{- end -}}
