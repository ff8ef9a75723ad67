# syntax=docker/dockerfile:1.7
# An image that holds the server and nothing else.
#
#   docker build -t chat-server .
#   docker run --rm -p 9000:9000 chat-server

# Pinned to the compiler that the project is measured with. For a build that can be repeated bit by bit,
# append the digest that `docker buildx imagetools inspect` shows for this tag.
FROM rust:1.95.0-slim-bookworm AS build
# The allocator is built with make.
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Linked statically with glibc: the server resolves no names, the only thing for which glibc would need files.
# With --target, build scripts do not get the flag.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    host=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked -p chat-server --target "$host" && \
    cp "target/$host/release/chat-server" /chat-server

FROM scratch
LABEL org.opencontainers.image.title="chat-server" \
      org.opencontainers.image.description="A room chat server" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /chat-server /chat-server
USER 65534:65534
EXPOSE 9000
STOPSIGNAL SIGTERM
# Asks for metrics on the address that CMD names: with other flags, serve them there as well, or run with
# --no-healthcheck.
HEALTHCHECK --interval=10s --timeout=2s CMD ["/chat-server", "--probe=127.0.0.1:9464"]
ENTRYPOINT ["/chat-server"]
# Arguments after the image's name replace these. Nobody stops the server from within the chat.
CMD ["--port=9000", "--ip=0.0.0.0", "--shutdown-from=nobody", "--metrics=127.0.0.1:9464"]
