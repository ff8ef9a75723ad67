# syntax=docker/dockerfile:1
# An image that holds the server and nothing else.
#
#   docker build -t chat-server .
#   docker run --rm -p 9000:9000 chat-server

FROM rust:1-slim AS build
WORKDIR /src
COPY . .
# Linked with glibc statically: it looks up no names, which is all that glibc would need files for, and
# glibc's malloc is the one that was measured. With --target the flag is not for the build scripts.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    host=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked -p chat-server --target "$host" && \
    cp "target/$host/release/chat-server" /chat-server

FROM scratch
COPY --from=build /chat-server /chat-server
USER 65534:65534
EXPOSE 9000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/chat-server"]
# Flags after the image's name take the place of these. From within the chat nobody stops it.
CMD ["--port=9000", "--ip=0.0.0.0", "--shutdown-from=nobody"]
