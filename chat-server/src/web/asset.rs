//! The files of the page, embedded in the program.

use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha1_smol::Sha1;

use super::request::Request;
use super::response::GUARDS;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Declares the files: the path, the type and the name in `page`.
macro_rules! files {
    ($($path:literal $kind:ident $name:literal,)+) => {
        [$(($path, $kind, include_bytes!(concat!("page/", $name)).as_slice())),+]
    };
}

/// The path of each file, its type and its bytes.
const FILES: &[(&str, &str, &[u8])] = &files! {
    "/" HTML "index.html",
    "/style.css" CSS "style.css",
    "/icon.svg" SVG "icon.svg",
    "/app.js" JS "app.js",
    "/composer.js" JS "composer.js",
    "/connection.js" JS "connection.js",
    "/dom.js" JS "dom.js",
    "/log.js" JS "log.js",
    "/panels.js" JS "panels.js",
    "/session.js" JS "session.js",
    "/texts.js" JS "texts.js",
};

/// The files, prepared for sending.
#[derive(Debug)]
pub(super) struct Assets(Vec<(&'static str, Asset)>);

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    kind: &'static str,
    plain: Encoded,
    gzip: Encoded,
}

/// The bytes of a file in one encoding.
#[derive(Debug)]
struct Encoded {
    bytes: Vec<u8>,
    /// The value of `ETag`: it changes with the bytes.
    tag: String,
}

impl Assets {
    /// Compresses the files on the first call in the process, which takes some milliseconds.
    pub(super) fn prepared() -> &'static Self {
        static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::new);
        &ASSETS
    }

    fn new() -> Self {
        let prepare = |&(path, kind, bytes)| (path, Asset::new(kind, bytes));
        Self(FILES.iter().map(prepare).collect())
    }

    pub(super) fn find(&self, path: &str) -> Option<&Asset> {
        self.0.iter().find(|(p, _)| *p == path).map(|(_, asset)| asset)
    }
}

impl Asset {
    fn new(kind: &'static str, bytes: &[u8]) -> Self {
        Self { kind, plain: Encoded::new(bytes.to_vec()), gzip: Encoded::new(gzip(bytes)) }
    }

    /// The response to a request for the file, without its bytes if `is_head`.
    pub(super) fn response(&self, request: &Request<'_>, is_head: bool) -> Vec<u8> {
        let takes_gzip = request
            .values("accept-encoding")
            .flat_map(|value| value.split(','))
            .any(|coding| accepts_gzip(coding.trim()));
        let (encoded, encoding) =
            if takes_gzip { (&self.gzip, "Content-Encoding: gzip\r\n") } else { (&self.plain, "") };
        let (kind, tag, len) = (self.kind, &encoded.tag, encoded.bytes.len());
        let known = request.lists("if-none-match", tag)
            || request.lists("if-none-match", &format!("W/{tag}"))
            || request.lists("if-none-match", "*");
        // Browsers ask each time whether the file has changed, since a new version of the server has new files.
        let common = format!(
            "ETag: {tag}\r\nCache-Control: no-cache\r\nVary: Accept-Encoding\r\n{GUARDS}Connection: close\r\n"
        );
        if known {
            return format!("HTTP/1.1 304 Not Modified\r\n{common}\r\n").into_bytes();
        }
        let mut response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n{encoding}{common}\r\n"
        )
        .into_bytes();
        if !is_head {
            response.extend_from_slice(&encoded.bytes);
        }
        response
    }
}

impl Encoded {
    fn new(bytes: Vec<u8>) -> Self {
        let mut sha1 = Sha1::new();
        sha1.update(&bytes);
        let tag = format!("\"{}\"", &sha1.digest().to_string()[..16]);
        Self { bytes, tag }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("a vector takes everything")
}

/// Whether an item of `Accept-Encoding` allows gzip.
fn accepts_gzip(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let names_it = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
    let refuses = parts.any(|part| {
        let weight = part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        weight.is_some_and(|(_, weight)| weight.trim().parse() == Ok(0.0))
    });
    names_it && !refuses
}
