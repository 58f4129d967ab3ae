# mcpgate with the shipped gateway.yaml. A gateway of your own is three lines more: see docs/deploy.md.

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/mcpgate ./cmd/mcpgate

# The program is static and writes nothing: it needs no distribution around it, only the certificates it trusts.
# There is no shell, and nothing to keep patched but mcpgate itself.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/mcpgate /mcpgate
WORKDIR /etc/mcpgate
COPY gateway.yaml ./
COPY specs/*.yaml ./specs/
# nobody in particular; the number, since there is no /etc/passwd and Kubernetes' runAsNonRoot wants one
USER 65532:65532
# PORT makes the gateway listen on all addresses of the container. Callers then need a key (auth.mode: api_key), or
# --insecure has to say that something else keeps strangers out.
ENV PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["/mcpgate", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/mcpgate"]
CMD ["serve"]
