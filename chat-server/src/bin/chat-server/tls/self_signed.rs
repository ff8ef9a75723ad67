//! A self-signed certificate, for a LAN without a certificate authority. It is stored, so that people who have
//! compared its fingerprint once need not do so again.
//!
//! One file, readable only by its owner, holds the key and the certificate. A new one is made once the certificate has
//! expired.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat_server::TlsConfig;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rcgen::{KeyUsagePurpose, date_time_ymd};

use crate::exit_error::ExitError;
use crate::os::host_names::host_names;
use crate::settings::Settings;

const FILE: &str = "self-signed.pem";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a certificate is valid. No browser accepts more than 398 days.
const VALID: Duration = Duration::from_secs(397 * 24 * 60 * 60);

/// Returns the stored certificate, or a new one if there is none, or it has expired.
///
/// # Errors
/// If there is no directory to store it in, it cannot be written, or the stored file is not a certificate.
pub(crate) fn load_or_make(settings: &Settings) -> Result<TlsConfig, ExitError> {
    let dir = settings.tls.dir.clone().or_else(state_dir).ok_or(ExitError::NoStateDirectory)?;
    let path = dir.join(FILE);
    if path.exists() {
        let kept = TlsConfig::from_files(&path, &path).map_err(ExitError::Certificate)?;
        let is_valid = |end: SystemTime| end > SystemTime::now();
        if kept.not_after().is_none_or(is_valid) {
            warn_of_missing(&kept, settings, &path);
            return Ok(kept);
        }
        tracing::warn!(path = %path.display(), "the certificate has expired: generating a new one, with another fingerprint");
    }
    let pem = make(names(settings)).and_then(|pem| write(&dir, &path, &pem).map(|()| pem));
    let pem = pem.map_err(|error| ExitError::NotKept { path: path.clone(), error })?;
    tracing::info!(path = %path.display(), "certificate made");
    TlsConfig::from_pem(pem.as_bytes(), pem.as_bytes()).map_err(ExitError::Certificate)
}

/// The directory for the state of programs: the service manager's, or else the user's.
fn state_dir() -> Option<PathBuf> {
    let place = |name| env::var_os(name).filter(|path| Path::new(path).is_absolute());
    // The first of several.
    let of_service = env::var("STATE_DIRECTORY").ok().filter(|path| path.starts_with('/'));
    if let Some(first) = of_service.as_deref().and_then(|paths| paths.split(':').next()) {
        return Some(first.into());
    }
    let of_user = place("XDG_STATE_HOME").map(PathBuf::from);
    let of_user = of_user.or_else(|| Some(Path::new(&place("HOME")?).join(".local/state")));
    of_user.map(|path| path.join("chat-server"))
}

/// Warns of names for browsers that a stored certificate does not have. A new one would have another fingerprint, so it
/// is the operator's choice.
fn warn_of_missing(kept: &TlsConfig, settings: &Settings, path: &Path) {
    let missing: Vec<_> = web_hosts(settings).filter(|host| !kept.is_for(host)).collect();
    if !missing.is_empty() {
        let (path, names) = (path.display(), missing.join(", "));
        tracing::warn!(%path, names, "the certificate lacks names in web-host: delete it for a new one, with another fingerprint");
    }
}

/// The names under which browsers are served, besides those of this machine.
fn web_hosts(settings: &Settings) -> impl Iterator<Item = String> {
    let hosts = settings.config.web.iter().flat_map(|web| &web.hosts);
    hosts.map(|host| host.trim_end_matches('.').to_ascii_lowercase())
}

/// The names that the certificate is for: those under which browsers are served, and the addresses that the server
/// listens on.
fn names(settings: &Settings) -> Vec<String> {
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    let own = host_names().into_iter().map(|name| name.to_ascii_lowercase());
    let mut names = vec!["localhost".to_owned()];
    names.extend(own.chain(web_hosts(settings)).filter(is_name));
    names.sort_unstable();
    names.dedup();
    let mut ips = vec![IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    for address in settings.config.addresses() {
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => {
                ips.extend(way_out(Ipv4Addr::UNSPECIFIED.into()));
            }
            IpAddr::V6(ip) if ip.is_unspecified() => {
                let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
                ips.extend(any.into_iter().filter_map(way_out));
            }
            ip => ips.push(ip),
        }
    }
    ips.sort_unstable();
    ips.dedup();
    names.extend(ips.iter().map(ToString::to_string));
    names
}

/// The address from which this machine reaches others, found without sending anything.
fn way_out(any: IpAddr) -> Option<IpAddr> {
    let far: IpAddr = match any {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// Makes a key and a certificate for these names, in PEM.
fn make(names: Vec<String>) -> io::Result<String> {
    let made = || {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "chat-server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = date_time_ymd(1970, 1, 1);
        // Allows for clocks that are behind.
        params.not_before = start + now.saturating_sub(DAY);
        params.not_after = start + (now + VALID - DAY);
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
    };
    made().map_err(|error: rcgen::Error| io::Error::other(error))
}

/// Writes a file that only its owner may read, atomically.
fn write(dir: &Path, path: &Path, text: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let draft = dir.join(format!("{FILE}.{}", std::process::id()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use chat_server::WebConfig;

    use super::*;

    #[test]
    fn a_certificate_is_made_for_the_names_and_addresses_of_the_server() {
        let mut settings = Settings::default();
        settings.config.address = ([192, 0, 2, 7], 9000).into();
        settings.config.web = Some(WebConfig::new().with_hosts(["Chat.Example.org.", "192.0.2.9"]));
        let pem = make(names(&settings)).expect("a certificate");
        let tls = TlsConfig::from_pem(pem.as_bytes(), pem.as_bytes()).expect("it is one");
        for name in ["localhost", "127.0.0.1", "::1", "192.0.2.7", "chat.example.org", "192.0.2.9"]
        {
            assert!(tls.is_for(name), "{name}");
        }
        assert!(!tls.is_for("example.org") && !tls.is_for("192.0.2.8") && !tls.is_for(""));
        let left = tls.not_after().expect("it ends").duration_since(SystemTime::now());
        let days = left.expect("it has not ended").as_secs() / DAY.as_secs();
        assert_eq!(days, 395);
    }
}
