# metrust in a container: one binary, no shell needed, nothing written but /data.
#
#   docker build -t metrust .
#   docker run --read-only --cap-drop ALL -p 127.0.0.1:8080:8080 -v metrust-data:/data metrust
#
# With a durable Redis beside it: deploy/compose.yaml.

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY config config
COPY src src
COPY tests/interop tests/interop
# The caches stay with the builder; only the binary leaves this stage.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --features s3 --bin metrust \
 && install -D -m 0755 target/release/metrust /out/usr/local/bin/metrust \
 && install -d -m 0700 -o 10001 -g 10001 /out/data

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="metrust" \
      org.opencontainers.image.description="A do-not-call registry" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/usr/local/bin/metrust /usr/local/bin/metrust
COPY --from=build --chown=10001:10001 /out/data /data
COPY LICENSE NOTICE /usr/share/doc/metrust/
# Whom to believe when a bucket shows its certificate; SSL_CERT_FILE names another file.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt

# Everywhere inside the container, since nothing outside reaches it unless a port is published.
ENV METRUST__HTTP__BIND=0.0.0.0:8080 \
    METRUST__DEMO__ENABLED=false \
    METRUST_DATA=/data

# Keys, the operator's key and the embedded store. Losing the keys is losing the list.
VOLUME /data
EXPOSE 8080
USER 10001:10001

# Told to stop, it finishes what it took on: give it at least http.drain_timeout_s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["metrust", "healthcheck"]
ENTRYPOINT ["metrust"]
CMD ["serve"]
