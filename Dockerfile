# docker build --build-arg VERSION=$(git describe --tags --always) --build-arg REVISION=$(git rev-parse HEAD) -t flashback-sync .
# Tags can move: whoever needs the same bytes again pins both by digest (FROM name:tag@sha256:...).
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make release-binary release-licenses RELEASE_BIN=/out/flashback-sync LICENSES=/out/THIRD_PARTY_LICENSES VERSION="${VERSION}" \
 && mkdir /out/data

# cc: DuckDB needs the C++ runtime, and nothing else does.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="flashback-sync" \
      org.opencontainers.image.description="Copies Flashback policy alerts, violations and statistics into DuckDB and a Parquet lake" \
      org.opencontainers.image.source="https://github.com/flashback-sync/flashback-sync" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY LICENSE /usr/share/doc/flashback-sync/LICENSE
COPY --from=build /out/THIRD_PARTY_LICENSES /usr/share/doc/flashback-sync/THIRD_PARTY_LICENSES
COPY --from=build /out/flashback-sync /usr/local/bin/flashback-sync
# A fresh volume takes its owner from here; the process is not root. Nothing is
# written elsewhere (DuckDB spills to state/tmp), so the image runs with --read-only.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
# In a container every address but this one is unreachable; off loopback `serve`
# wants a password (FLASHBACK_PAGE_PASSWORD, or serve.password_file).
ENV FLASHBACK_SYNC_DATA_DIR=/data \
    FLASHBACK_SYNC_SERVE_LISTEN=0.0.0.0:8417
VOLUME /data
EXPOSE 8417
# It asks `serve`; run a single sync with --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/flashback-sync", "serve", "--probe"]
ENTRYPOINT ["/usr/local/bin/flashback-sync"]
CMD ["serve"]
