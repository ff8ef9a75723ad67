//! The memory available: the least of this process's control group limits and the machine's memory.

use std::fs;
use std::path::{Path, PathBuf};

/// The smallest value of [`Limits::max_memory`](chat_server::Limits::max_memory), in bytes.
const LEAST: usize = 16 << 20;

/// Returns the default for how much memory the server may use, in bytes: half of what is available. The kernel needs
/// the rest for connections: 2 KiB for each, and up to 128 KiB for one that does not read; control groups count these,
/// too. `None` where the system does not say what is available.
pub(crate) fn share() -> Option<usize> {
    let limit = limit_in(Path::new("/")).into_iter().chain(machine()).min()?;
    Some((limit / 2).max(LEAST))
}

/// All the memory of the machine. `/proc/meminfo` may be hidden from a service.
#[cfg(target_os = "linux")]
fn machine() -> Option<usize> {
    let info = rustix::system::sysinfo();
    usize::try_from(u64::from(info.mem_unit) * info.totalram).ok().filter(|memory| *memory > 0)
}

#[cfg(not(target_os = "linux"))]
fn machine() -> Option<usize> {
    None
}

/// The smallest control group limit of this process, on a system whose files are under `root`.
fn limit_in(root: &Path) -> Option<usize> {
    groups(root).into_iter().filter_map(|(group, file)| limit_of(&group, file)).min()
}

/// The limit of a control group. `max`, or in version 1 a number beyond all memory, means no limit.
fn limit_of(group: &Path, file: &str) -> Option<usize> {
    fs::read_to_string(group.join(file)).ok()?.trim().parse().ok().filter(|limit| *limit < 1 << 60)
}

/// The directories of this process's control groups and all their ancestors, each with the file that holds its limit,
/// in versions 1 and 2 of the interface: cgroups(7).
fn groups(root: &Path) -> Vec<(PathBuf, &'static str)> {
    let read = |file| fs::read_to_string(root.join(file)).unwrap_or_default();
    let (memberships, mounts) = (read("proc/self/cgroup"), read("proc/self/mountinfo"));
    let mut groups = Vec::new();
    for membership in memberships.lines() {
        // The fields: a number, the controllers (none in version 2), the path of the group.
        let mut fields = membership.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let file = match controllers {
            "" => "memory.max",
            v1 if v1.split(',').any(|name| name == "memory") => "memory.limit_in_bytes",
            _ => continue,
        };
        for mount in mounts.lines().filter_map(Mount::parse).filter(|m| m.is_for(controllers)) {
            let top = root.join(mount.point.trim_start_matches('/'));
            let group = top.join(mount.below(path));
            let around = group.ancestors().take_while(|group| group.starts_with(&top));
            groups.extend(around.map(|group| (group.to_owned(), file)));
        }
    }
    groups
}

/// A line of `mountinfo` (proc_pid_mountinfo(5)): which subtree of the control groups is mounted where.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let (mut mount, mut system) = (mount.split(' ').skip(3), system.split(' '));
        let (root, point) = (mount.next()?, mount.next()?);
        let (kind, options) = (system.next()?, system.nth(1)?);
        Some(Self { root, point, kind, options })
    }

    /// Whether groups with these controllers are mounted here.
    fn is_for(&self, controllers: &str) -> bool {
        match controllers {
            "" => self.kind == "cgroup2",
            _ => self.kind == "cgroup" && self.options.split(',').any(|name| name == "memory"),
        }
    }

    /// The path of a group relative to the mount. For a group outside the mounted subtree, this is its root, which is
    /// how a process in a container sees its own group.
    fn below<'p>(&self, path: &'p str) -> &'p str {
        let below = path.strip_prefix(self.root.trim_end_matches('/')).unwrap_or_default();
        let is_inside = !below.split('/').any(|name| name == "..");
        below.strip_prefix('/').filter(|_| is_inside).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
    const V1: &str = "36 30 0:31 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n\
                      37 30 0:32 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu";

    /// The limit on a system with these files.
    fn limit_with(cgroup: &str, mounts: &str, limits: &[(&str, &str)]) -> Option<usize> {
        let name =
            format!("chat-server-memory-{}-{:?}", std::process::id(), std::thread::current().id());
        let root = std::env::temp_dir().join(name);
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
            fs::write(path, text).expect("a file");
        };
        write("proc/self/cgroup", cgroup);
        write("proc/self/mountinfo", mounts);
        for (path, limit) in limits {
            write(path, &format!("{limit}\n"));
        }
        let limit = limit_in(&root);
        fs::remove_dir_all(&root).expect("it was made here");
        limit
    }

    #[test]
    fn b8_the_smallest_limit_of_the_groups_around_the_process_counts() {
        let nested = [
            ("sys/fs/cgroup/a/memory.max", "1073741824"),
            ("sys/fs/cgroup/a/b/memory.max", "268435456"),
            ("sys/fs/cgroup/a/b/c/memory.max", "max"),
            ("sys/fs/cgroup/other/memory.max", "1048576"),
        ];
        assert_eq!(limit_with("0::/a/b/c\n", V2, &nested), Some(256 << 20));
        assert_eq!(limit_with("0::/a\n", V2, &nested), Some(1 << 30));
        let own = [nested[0], ("sys/fs/cgroup/a/b/memory.max", "4294967296")];
        assert_eq!(limit_with("0::/a/b\n", V2, &own), Some(1 << 30), "that of the outer one");
    }

    #[test]
    fn b8_a_group_without_a_limit_has_none() {
        assert_eq!(limit_with("0::/\n", V2, &[]), None);
        let max = [("sys/fs/cgroup/a/memory.max", "max")];
        assert_eq!(limit_with("0::/a\n", V2, &max), None);
        assert_eq!(limit_with("", "", &[]), None);
        let none = [("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")];
        assert_eq!(limit_with("4:memory:/\n", V1, &none), None);
    }

    #[test]
    fn b8_version_1_counts_and_its_other_controllers_do_not() {
        let limits = [
            ("sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "536870912"),
            ("sys/fs/cgroup/cpu/docker/x/memory.limit_in_bytes", "1"),
        ];
        let cgroup = "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n1:name=systemd:/docker/x\n";
        assert_eq!(limit_with(cgroup, V1, &limits), Some(512 << 20));
    }

    #[test]
    fn b8_a_container_sees_its_own_group_at_the_top() {
        // With a cgroup namespace; in version 1 without one; and seen from outside the namespace.
        let top = [("sys/fs/cgroup/memory.max", "134217728")];
        assert_eq!(limit_with("0::/\n", V2, &top), Some(128 << 20));
        let bound = "36 30 0:31 /docker/x /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
        let top_v1 = [("sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728")];
        assert_eq!(limit_with("4:memory:/docker/x\n", bound, &top_v1), Some(128 << 20));
        assert_eq!(limit_with("0::/../../x\n", V2, &top), Some(128 << 20));
    }

    #[test]
    fn b8_both_versions_at_once_are_both_read() {
        let mounts = format!("{V1}\n42 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw");
        let limits = [
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1073741824"),
            ("sys/fs/cgroup/unified/a/memory.max", "536870912"),
        ];
        assert_eq!(limit_with("4:memory:/a\n0::/a\n", &mounts, &limits), Some(512 << 20));
    }

    #[test]
    fn this_system_has_memory() {
        assert!(share().is_some_and(|memory| memory >= LEAST));
    }
}
