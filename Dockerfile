# Patchbay as an image: Node, the few libraries that it is linked to, production dependencies. No shell, no package manager.
# README.md tells how to build and run it.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# JavaScript is the same for every processor, so this runs on the one of the machine that builds.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
# `npm sbom --omit=dev` also leaves out what development and production share, so it is shown a package without development.
RUN npm run --silent build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && npm pkg delete devDependencies \
 && npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json \
 && find dist node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' \) -delete

# What of the base goes into the image, with what scanners need to know it by: the records of its packages, as in distroless images.
FROM ${NODE_IMAGE} AS runtime
RUN set -eu; out=/runtime; node=$(command -v node); \
    mkdir -p $out/usr/local/bin $out/var/lib/dpkg/status.d; \
    install -d -m 1777 $out/tmp; \
    cp "$node" $out/usr/local/bin/node; \
    cp --dereference --parents /etc/os-release /etc/nsswitch.conf $out; \
    printf 'root:x:0:0:root:/root:/usr/sbin/nologin\npatchbay:x:1000:1000:Patchbay:/app:/usr/sbin/nologin\n' > $out/etc/passwd; \
    printf 'root:x:0:\npatchbay:x:1000:\n' > $out/etc/group; \
    for library in $(ldd "$node" | grep -o '/[^ ]*'); do \
      cp --dereference --parents "$library" $out; \
      package=$(dpkg -S "*/${library##*/}" | sed -n '1s/:.*//p'); \
      dpkg-query --status "$package" > "$out/var/lib/dpkg/status.d/$package"; \
      cp --dereference --parents "/usr/share/doc/$package/copyright" $out; \
    done
COPY --from=build /app/sbom.cdx.json /tmp/sbom.cdx.json
# npm lists packages of npm; Node and the libraries are added here, where those of the target's processor are.
RUN node -e ' \
    const fs = require("fs"), status = "/runtime/var/lib/dpkg/status.d/"; \
    const sbom = JSON.parse(fs.readFileSync("/tmp/sbom.cdx.json", "utf8")); \
    sbom.metadata.component.name = "patchbay"; \
    const add = (type, name, version, purl) => \
      sbom.components.push({ "bom-ref": purl, type, name, version, purl }); \
    add("platform", "node", process.versions.node, "pkg:generic/node@" + process.versions.node); \
    for (const file of fs.readdirSync(status)) { \
      const text = fs.readFileSync(status + file, "utf8"); \
      const field = (name) => text.match(new RegExp("^" + name + ": (.*)$", "m"))[1]; \
      const version = field("Version"), coded = encodeURIComponent(version); \
      add("library", file, version, `pkg:deb/debian/${encodeURIComponent(file)}@${coded}?arch=${field("Architecture")}`); \
    } \
    fs.writeFileSync("/sbom.cdx.json", JSON.stringify(sbom, null, 2)); '

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Patchbay" \
      org.opencontainers.image.description="Gateway between voice_events on RabbitMQ, XCC on NATS, and ARI" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=runtime /runtime /
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY mappings mappings
COPY proto proto
COPY --from=runtime /sbom.cdx.json ./
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    PATCHBAY_HEALTH_URL=http://127.0.0.1:9464/livez
USER 1000:1000
EXPOSE 9464
STOPSIGNAL SIGTERM
# Asks whether the process is alive, not whether its links are up: a broker that is away is no reason to start it anew.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.PATCHBAY_HEALTH_URL).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run", "-c", "/etc/patchbay/patchbay.yaml"]
