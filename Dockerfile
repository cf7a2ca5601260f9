# GhostInbox as an image: docs/docker.md. BuildKit and Docker's former builder both build it.

# What a build makes is of this time (seconds since 1970), whenever it is built.
ARG SOURCE_DATE_EPOCH=1767225600

# Debian's packages and the Node runtime, on which the programs are built and then run. What a step leaves is copied by
# Docker, file by file: so none leaves what the next ones do not need, nor touches what another has left. The second line of packages is
# what test-email-security.sh needs.
FROM debian:bookworm-slim AS runtime
ARG SOURCE_DATE_EPOCH
COPY docker/add-users docker/clean scripts/setup /tmp/scripts/
# The hooks for systemd and init, neither of which is here, do nothing: they would take as long as unpacking the packages.
RUN bash /tmp/scripts/add-users && \
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections && \
    apt-get update -q && \
    for tells in deb-systemd-helper update-rc.d invoke-rc.d; do ln -s /bin/true "/usr/local/sbin/$tells"; done && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends tini \
      nmap sslscan swaks libnet-ssleay-perl curl \
      $(bash /tmp/scripts/setup --list-packages) && \
    rm /usr/local/sbin/* && \
    bash /tmp/scripts/clean
ARG NPM_REGISTRY=https://registry.npmjs.org
WORKDIR /usr/lib/ghostinbox
COPY package-lock.json docker/fetch-npm docker/as-of-then docker/clean /tmp/scripts/
RUN cd /tmp/scripts && bash fetch-npm /usr/lib/ghostinbox/node_modules node && \
    cd /usr/lib/ghostinbox && bash /tmp/scripts/as-of-then && \
    ln -s /usr/lib/ghostinbox/node_modules/node-linux-*/bin/node /usr/local/bin/ && \
    bash /tmp/scripts/clean

FROM runtime AS programs
ARG SOURCE_DATE_EPOCH
# Node trusts the authorities that Debian trusts, and so those of a company that adds its own to the base image.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
ARG NPM_REGISTRY=https://registry.npmjs.org
COPY package.json package-lock.json docker/fetch-npm docker/as-of-then /npm/
RUN cd /npm && bash fetch-npm . esbuild npm && \
    node npm/bin/npm-cli.js ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error --registry="$NPM_REGISTRY" && \
    node npm/bin/npm-cli.js sbom --package-lock-only --sbom-format=cyclonedx > /usr/lib/ghostinbox/npm-packages.json && \
    mv node_modules/* @esbuild /usr/lib/ghostinbox/node_modules && \
    cd /usr/lib/ghostinbox && bash /npm/as-of-then && \
    rm -r /npm /root/.npm
COPY . .
# Each start finds everything built for the times of the sources (node_modules/.cache), and needs no bundler. The Node runtime
# is already in the image.
RUN touch image && bash docker/as-of-then && \
    node scripts/build-programs.ts && \
    rm -r node_modules/esbuild node_modules/@esbuild node_modules/node-linux-* scripts/build-programs.ts docker/add-users docker/clean docker/fetch-npm && \
    mv docker/as-of-then /tmp && bash /tmp/as-of-then

FROM runtime
ARG SOURCE_DATE_EPOCH
COPY --from=programs /usr/lib/ghostinbox /usr/lib/ghostinbox
COPY docker/clean /tmp/scripts/
COPY docker/apt.conf /etc/apt/apt.conf.d/90ghostinbox
# The commands and logs that people know from a server without containers.
RUN ln -s /usr/lib/ghostinbox/ghostinbox /usr/lib/ghostinbox/docker/commands/* /usr/local/bin/ && \
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
    NMAP_UNPRIVILEGED=1 \
    NODE_COMPILE_CACHE=/run/ghostinbox-compiled
VOLUME /data
EXPOSE 25 465 587 993 3000
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s \
  CMD ["busybox", "wget", "-Y", "off", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/healthz"]
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/lib/ghostinbox/scripts/start"]
LABEL org.opencontainers.image.title="GhostInbox" \
      org.opencontainers.image.description="A hardened mail server, and the security engine that guards it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.documentation="docs/docker.md"
