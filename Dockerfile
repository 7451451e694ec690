# The gateway in an image of its own: one static binary, the roots of the
# public certificate authorities, and nothing else.
#
#   make image
#   docker run -p 8080:8080 -v ./ficus.yaml:/etc/ficus/ficus.yaml:ro -v ficus:/var/lib/ficus ficus
#
# The same sources and VERSION give the same binary, byte for byte, on any
# machine: "make reproducible" shows it.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=devel
RUN CGO_ENABLED=0 GOTOOLCHAIN=local go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X github.com/ficus-gateway/ficus/gateway/app.version=${VERSION}" \
    -o /image/ficus . \
 && mkdir -p /image/etc/ssl/certs /image/etc/ficus /image/var/lib/ficus /image/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && chown 65532:65532 /image/var/lib/ficus /image/tmp \
 && chmod 700 /image/var/lib/ficus

FROM scratch
COPY --from=build /image/ /
# A number, so that runAsNonRoot can be checked without a passwd file.
USER 65532:65532
# The state, the token and the secret lie here: mount a volume.
WORKDIR /var/lib/ficus
EXPOSE 8080
# It drains; see shutdown: in the config for how long, and give it that time.
STOPSIGNAL SIGTERM
# Asks the admin listener; set FICUS_ADMIN if the config puts it elsewhere.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/ficus", "status", "--json"]
ENTRYPOINT ["/ficus"]
CMD ["run", "-c", "/etc/ficus/ficus.yaml"]
