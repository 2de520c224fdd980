//! What is mounted where (proc_pid_mountinfo(5)).

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

/// File systems that engines mount for each container: told with the container, and too many to keep.
const CONTAINERS: &[&str] = &["overlay", "fuse-overlayfs", "aufs", "nsfs"];

/// A mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) point: Utf8PathBuf,
    /// What of the file system is mounted.
    pub(crate) root: String,
    /// Major and minor number: what tells file systems apart.
    pub(crate) device: String,
    pub(crate) fstype: String,
    pub(crate) source: String,
    pub(crate) options: Vec<String>,
    pub(crate) propagation: &'static str,
}

impl Mount {
    pub(crate) fn data(&self) -> Value {
        json!({
            "point": self.point, "root": self.root, "device": self.device, "fstype": self.fstype,
            "source": seareeve_redact::text(&self.source), "options": self.options,
            "propagation": self.propagation,
        })
    }

    /// Whether it is the machine's and not one container's.
    pub(crate) fn is_hosts(&self) -> bool {
        self.point == "/"
            || !(CONTAINERS.contains(&self.fstype.as_str())
                || self.point.as_str().contains("/kubelet/pods/")
                || self.point.ends_with("mounts/shm")
                || self.point.ends_with("userdata/shm"))
    }
}

/// Reads `mountinfo`. Lines of another form are passed over.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ');
    let device = fields.nth(2)?.to_owned();
    let root = unescape(fields.next()?);
    let point = unescape(fields.next()?);
    let options = fields.next()?;
    let mut propagation = "private";
    for field in fields {
        match field.split(':').next().unwrap_or_default() {
            "shared" => propagation = "shared",
            "master" if propagation != "shared" => propagation = "slave",
            "unbindable" => propagation = "unbindable",
            _ => {}
        }
    }
    let mut after = after.split(' ');
    let fstype = after.next()?.to_owned();
    let source = unescape(after.next()?);
    let mut options: Vec<String> = options
        .split(',')
        .chain(after.next().unwrap_or_default().split(','))
        .filter(|option| !option.is_empty())
        .map(seareeve_redact::text)
        .collect();
    options.sort_unstable();
    options.dedup();
    Some(Mount {
        point: point.into(),
        root,
        device,
        fstype,
        source,
        options,
        propagation,
    })
}

/// Undoes `\040` and its like.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let [
            b'\\',
            a @ b'0'..=b'3',
            b @ b'0'..=b'7',
            c @ b'0'..=b'7',
            tail @ ..,
        ] = rest
        {
            bytes.push(((a & 3) << 6) | ((b & 7) << 3) | (c & 7));
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The mount that `path` lies on. Of several on one point, the last one hides the others.
pub(crate) fn holding<'a>(mounts: &'a [Mount], path: &Utf8Path) -> Option<&'a Mount> {
    let over = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    over.max_by_key(|mount| mount.point.as_str().len())
}

/// Whether `path` lies on another file system than `/`. A folder that is mounted on itself does not.
pub(crate) fn is_separate(mounts: &[Mount], path: &Utf8Path) -> Option<bool> {
    let own = holding(mounts, path)?;
    let root = holding(mounts, Utf8Path::new("/"))?;
    Some(own.device != root.device)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
23 22 0:5 / /dev rw shared:2 master:9 - devtmpfs devtmpfs rw,size=1k
30 22 8:1 / /var rw master:3 - xfs /dev/sda1 rw
31 30 8:1 /lib/docker /var/lib/docker rw - xfs /dev/sda1 rw
32 22 254:0 /srv/engine /srv/engine rw,relatime - ext4 /dev/vda rw,discard
33 22 0:40 / /mnt/with\\040space rw unbindable - cifs //nas/a rw,username=x,password=y
broken
34 x - y
";

    #[test]
    fn mountinfo_is_read() {
        let mounts = parse(REAL);
        let seen: Vec<(&str, &str, &str)> = mounts
            .iter()
            .map(|mount| {
                (
                    mount.point.as_str(),
                    mount.device.as_str(),
                    mount.propagation,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("/", "254:0", "shared"),
                ("/dev", "0:5", "shared"),
                ("/var", "8:1", "slave"),
                ("/var/lib/docker", "8:1", "private"),
                ("/srv/engine", "254:0", "private"),
                ("/mnt/with space", "0:40", "unbindable"),
            ]
        );
        let nas = mounts.last().unwrap();
        assert_eq!(nas.options, ["password=[redacted]", "rw", "username=x"]);
    }

    #[test]
    fn a_folder_mounted_on_itself_is_no_partition() {
        let mounts = parse(REAL);
        for (path, separate) in [
            ("/var/lib/docker", true),
            ("/var/lib/docker/overlay2", true),
            ("/var/lib/dockerd", true),
            ("/srv/engine", false),
            ("/home", false),
        ] {
            assert_eq!(
                is_separate(&mounts, Utf8Path::new(path)),
                Some(separate),
                "{path}"
            );
        }
        assert_eq!(is_separate(&[], Utf8Path::new("/x")), None);
    }

    #[test]
    fn the_last_mount_on_a_point_counts() {
        let twice = parse(
            "1 1 8:1 / / rw - ext4 a rw\n2 1 8:2 / /d rw - ext4 b rw\n3 2 8:3 / /d rw - ext4 c rw\n",
        );
        assert_eq!(holding(&twice, Utf8Path::new("/d/x")).unwrap().source, "c");
    }
}
