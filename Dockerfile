# docker build --build-arg VERSION=$(git describe --tags --always) -t flashback-sync .
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN go build -tags duckdb_arrow -trimpath -ldflags "-s -w -X main.version=${VERSION}" \
      -o /out/flashback-sync ./cmd/flashback-sync \
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
COPY --from=build /out/flashback-sync /usr/local/bin/flashback-sync
# A fresh volume takes its owner from here; the process is not root.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data
ENV FLASHBACK_SYNC_DATA_DIR=/data
VOLUME /data
ENTRYPOINT ["/usr/local/bin/flashback-sync"]
CMD ["--help"]
