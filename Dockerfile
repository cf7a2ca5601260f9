# GhostInbox as an image: docs/docker.md. BuildKit and Docker's former builder both build it.

# What a build makes is of this time (seconds since 1970), whenever it is built.
ARG SOURCE_DATE_EPOCH=1767225600

FROM debian:bookworm-slim AS programs
ARG SOURCE_DATE_EPOCH
# Node believes the authorities that Debian believes, and so those of a company that adds its own to the base image.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
# What a step leaves goes through Docker's hands, file by file: so none leaves what the next ones do not need.
RUN apt-get update -q && apt-get install -y -q --no-install-recommends ca-certificates curl libatomic1 && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*
ARG NPM_REGISTRY=https://registry.npmjs.org
WORKDIR /usr/lib/ghostinbox
COPY package.json package-lock.json docker/fetch-npm docker/as-of-then ./
RUN bash fetch-npm /npm && \
    /npm/npm/node /npm/npm/bin/npm-cli.js ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error --registry="$NPM_REGISTRY" && \
    /npm/npm/node /npm/npm/bin/npm-cli.js sbom --package-lock-only --sbom-format=cyclonedx > npm-packages.json && \
    mv /npm/node-linux-* /npm/@esbuild node_modules && \
    rm -r /npm /root/.npm fetch-npm node_modules/.bin && \
    bash as-of-then
COPY . .
# Each start finds everything built (node_modules/.cache), by the time of each source, and needs no bundler.
RUN touch image && bash as-of-then && \
    "$(bash scripts/node-path)" scripts/build-programs.ts && \
    rm -r node_modules/esbuild node_modules/@esbuild scripts/build-programs.ts docker/add-users docker/clean docker/fetch-npm && \
    mv as-of-then /tmp && rm docker/as-of-then && bash /tmp/as-of-then

FROM debian:bookworm-slim
ARG SOURCE_DATE_EPOCH
COPY docker/add-users docker/clean scripts/setup /tmp/scripts/
RUN bash /tmp/scripts/add-users && \
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections && \
    apt-get update -q && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends tini \
      $(bash /tmp/scripts/setup --list-packages) && \
    bash /tmp/scripts/clean
COPY --from=programs /usr/lib/ghostinbox /usr/lib/ghostinbox
COPY docker/clean /tmp/scripts/
WORKDIR /usr/lib/ghostinbox
# The commands and logs that people know from a machine of its own.
RUN ln -s /usr/lib/ghostinbox/ghostinbox /usr/lib/ghostinbox/docker/commands/* /usr/local/bin/ && \
    ln -s "$(bash /usr/lib/ghostinbox/scripts/node-path)" /usr/local/bin/node && \
    ln -s /bin/busybox /usr/local/bin/top && \
    ln -s /data/log/mail /var/log/mail && \
    ln -s /data/log/mail/mail.log /var/log/mail.log && \
    ln -s /data/log/mail/fail2ban.log /var/log/fail2ban.log && \
    mkdir /data /usr/share/sbom && \
    node scripts/sbom.ts npm-packages.json > /usr/share/sbom/ghostinbox.cdx.json && \
    rm scripts/sbom.ts npm-packages.json && \
    bash /tmp/scripts/clean
ENV LANG=C.UTF-8 \
    GHOSTINBOX_DATA=/data \
    GHOSTINBOX_HTTP__ADDRESS=:: \
    NODE_COMPILE_CACHE=/run/ghostinbox-compiled
VOLUME /data
EXPOSE 25 465 587 993 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s \
  CMD ["busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/healthz"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/lib/ghostinbox/scripts/start"]
LABEL org.opencontainers.image.title="GhostInbox" \
      org.opencontainers.image.description="A hardened mail server, and the security engine that guards it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.documentation="docs/docker.md"
