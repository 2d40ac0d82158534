//! The table of mounts, `/proc/self/mountinfo` (proc_pid_mountinfo(5)). Owns its
//! grammar and the choice of mounts that have storage behind them. Must never
//! ask a file system anything: that may hang.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Most mounts kept.
pub const MAX_MOUNTS: usize = 256;

/// One mount worth measuring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Device as `major:minor`.
    pub device: (u32, u32),
    /// Where it is mounted.
    pub point: PathBuf,
    /// File system type.
    pub kind: String,
    /// The mount or the file system below is read-only.
    pub read_only: bool,
}

/// File systems that hold no storage of their own (or, as autofs, would mount
/// something when asked).
const PSEUDO: &[&str] = &[
    "autofs",
    "bdev",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "pipefs",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sockfs",
    "sysfs",
    "tracefs",
];

/// Mount points where a memory file system matters when it is full.
const TMPFS_THAT_MATTERS: &[&str] = &["/", "/tmp", "/run", "/dev/shm", "/var/tmp"];

/// Reads the mounts with storage behind them, one a device: the one with the
/// shortest path, since the others are bind mounts of it or parts of it. A mount
/// that a later one covers is left out: asking its path would ask the other.
pub fn parse(text: &[u8]) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in text.split(|b| *b == b'\n').filter_map(line) {
        mounts.retain(|m| m.point != mount.point);
        if mounts.len() < 16 * MAX_MOUNTS {
            mounts.push(mount);
        }
    }
    mounts.retain(worth_measuring);
    let mut kept: Vec<Mount> = Vec::new();
    for mount in mounts {
        let full = kept.len() >= MAX_MOUNTS;
        match kept.iter_mut().find(|m| m.device == mount.device) {
            Some(other) if other.point.as_os_str().len() > mount.point.as_os_str().len() => *other = mount,
            None if !full => kept.push(mount),
            _ => {}
        }
    }
    kept
}

fn worth_measuring(mount: &Mount) -> bool {
    if mount.kind == "tmpfs" {
        return TMPFS_THAT_MATTERS.iter().any(|p| mount.point.as_os_str() == *p);
    }
    !PSEUDO.contains(&mount.kind.as_str())
}

fn line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let device = std::str::from_utf8(fields.nth(2)?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let point = fields.nth(1)?;
    let options = fields.next()?;
    // Optional fields end at a single hyphen.
    fields.by_ref().find(|f| *f == b"-")?;
    let kind = String::from_utf8_lossy(fields.next()?).into_owned();
    let super_options = fields.nth(1).unwrap_or_default();
    let read_only = [options, super_options].iter().any(|o| o.split(|b| *b == b',').any(|o| o == b"ro"));
    Some(Mount {
        device: (major.parse().ok()?, minor.parse().ok()?),
        point: PathBuf::from(OsString::from_vec(unescape(point))),
        kind,
        read_only,
    })
}

/// Undoes the kernel's mangling: blank, tab, newline and backslash stand as
/// three octal digits (fs/seq_file.c, `mangle_path`).
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) = (first, tail) {
            out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = b"\
22 28 0:21 / /proc rw,nosuid - proc proc rw
28 1 254:1 / / rw,relatime shared:1 master:2 - ext4 /dev/vda1 rw
29 28 254:1 /var/lib/x /srv/very/long rw - ext4 /dev/vda1 rw
30 28 0:40 / /mnt/nfs\\040share rw - nfs4 host:/export rw,vers=4.2
31 28 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
32 28 0:50 / /run rw - tmpfs tmpfs rw
33 28 0:51 / /somewhere rw - tmpfs tmpfs rw
34 28 8:1 / /data rw - xfs /dev/sda1 ro,seclabel
35 28 8:2 / /over rw - ext4 /dev/sda2 rw
36 28 8:3 / /over rw - ext4 /dev/sda3 rw
";

    #[test]
    fn storage_is_kept_once_and_the_rest_left() {
        let mounts = parse(TEXT);
        let shown: Vec<_> = mounts.iter().map(|m| (m.point.to_str().unwrap(), m.kind.as_str(), m.read_only)).collect();
        assert_eq!(
            shown,
            [
                ("/", "ext4", false),
                ("/mnt/nfs share", "nfs4", false),
                ("/snap/core/1", "squashfs", true),
                ("/run", "tmpfs", false),
                ("/data", "xfs", true),
                ("/over", "ext4", false),
            ]
        );
        assert_eq!(mounts[5].device, (8, 3), "the covering mount is the one a path reaches");
    }

    #[test]
    fn escapes_are_octal() {
        assert_eq!(unescape(b"a\\040b\\134c\\0z\\999\\"), b"a b\\c\\0z\\999\\");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(parse(&bytes).len() <= MAX_MOUNTS);
        }

        #[test]
        fn any_fields_are_read(line in "[0-9]{1,3} [0-9]{1,3} [0-9]{1,11}:[0-9]{0,3} [/\\\\0-9a-z]{0,9} [/\\\\0-7a-z]{0,20} [a-z,]{0,9}( [a-z:0-9]{1,4}){0,3} - [a-z0-9]{0,5} [a-z]{0,3} [a-z,]{0,6}") {
            prop_assert!(parse(line.as_bytes()).len() <= 1);
        }
    }
}
