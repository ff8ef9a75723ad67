//! The names of this machine.

/// The names under which others on the network may know this machine: its own, and its first label alone and with
/// `.local`, for multicast DNS.
pub(crate) fn host_names() -> Vec<String> {
    let system = rustix::system::uname();
    let Ok(name) = system.nodename().to_str() else { return Vec::new() };
    let first = name.split('.').next().unwrap_or(name);
    if first.is_empty() {
        return Vec::new();
    }
    let mut names = vec![name.to_owned(), first.to_owned(), format!("{first}.local")];
    names.dedup();
    names
}
