//! Where a path that a component was told lies on the machine: a container has mounts of its own.

use camino::{Utf8Path, Utf8PathBuf};

use crate::host::mounts::{self, Mount};
use crate::host::root::Root;

/// Bytes of a list of mounts.
const MOUNTINFO: u64 = 16 << 20;

/// The machine's own view, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places(Option<Vec<Place>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Below this path of the component …
    inside: Utf8PathBuf,
    /// … lies what is below this one of the machine. None for what only the component sees.
    outside: Option<Utf8PathBuf>,
}

impl Places {
    /// Those of a process, by its mounts and the machine's: a bind mount is a part of the same file system, and so is
    /// what a container's own `/` is mounted from.
    pub(super) fn of_process(root: &Root, pid: u64, machine: &[Mount]) -> Self {
        let space = |pid: &str| {
            let link = root.place(Utf8Path::new(&format!("/proc/{pid}/ns/mnt")));
            std::fs::read_link(link).ok()
        };
        let own = space(&pid.to_string());
        if own.is_some() && own == space("1") {
            return Self::default();
        }
        let text = root.text(&format!("/proc/{pid}/mountinfo"), MOUNTINFO);
        let places = mounts::parse(&text.unwrap_or_default())
            .into_iter()
            .map(|mount| Place {
                outside: outside(&mount, machine),
                inside: mount.point,
            });
        Self(Some(places.collect()))
    }

    /// Those of a pod that is not there, by what its manifest mounts: pairs of paths inside and outside.
    pub(super) fn of_pod(mounts: impl Iterator<Item = (Utf8PathBuf, Utf8PathBuf)>) -> Self {
        let places = mounts.map(|(inside, outside)| Place {
            inside,
            outside: Some(outside),
        });
        Self(Some(places.collect()))
    }

    /// Where `path` is on the machine. Nothing for what only the component sees, and for what is no absolute path.
    pub(super) fn on_machine(&self, path: &str) -> Option<Utf8PathBuf> {
        let path = Utf8Path::new(path);
        if !path.is_absolute() {
            return None;
        }
        let Some(places) = &self.0 else {
            return Some(path.to_owned());
        };
        // Of several on one point, the last one hides the others.
        let over = places
            .iter()
            .filter(|place| path.starts_with(&place.inside));
        let place = over.max_by_key(|place| place.inside.as_str().len())?;
        let rest = path.strip_prefix(&place.inside).ok()?;
        let outside = place.outside.as_ref()?;
        Some(match rest.as_str() {
            "" => outside.clone(),
            _ => outside.join(rest),
        })
    }
}

/// Where the machine has what `mount` mounts.
fn outside(mount: &Mount, machine: &[Mount]) -> Option<Utf8PathBuf> {
    let part = Utf8Path::new(&mount.root);
    let holding = machine
        .iter()
        .filter(|own| own.device == mount.device && part.starts_with(&own.root));
    let own = holding.max_by_key(|own| own.root.len())?;
    let rest = part.strip_prefix(&own.root).ok()?;
    Some(match rest.as_str() {
        "" => own.point.clone(),
        _ => own.point.join(rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_container_are_found_on_the_machine() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let own = folder.path().join("proc/7");
        std::fs::create_dir_all(&own).unwrap();
        let machine = mounts::parse(
            "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
             2 1 8:2 / /var rw - ext4 /dev/sda2 rw\n\
             3 1 0:50 / /run/k3s/rootfs rw - overlay overlay rw\n",
        );
        std::fs::write(
            own.join("mountinfo"),
            "9 0 0:50 / / rw - overlay overlay rw\n\
             10 9 8:1 /etc/kubernetes/pki /etc/kubernetes/pki ro - ext4 /dev/sda1 rw\n\
             11 9 8:2 /lib/etcd /data rw - ext4 /dev/sda2 rw\n\
             12 9 0:99 / /tmp rw - tmpfs tmpfs rw\n",
        )
        .unwrap();
        let places = Places::of_process(&root, 7, &machine);
        let at = |path: &str| places.on_machine(path).map(Utf8PathBuf::into_string);
        assert_eq!(
            at("/etc/kubernetes/pki/ca.crt").as_deref(),
            Some("/etc/kubernetes/pki/ca.crt")
        );
        assert_eq!(at("/data").as_deref(), Some("/var/lib/etcd"));
        assert_eq!(at("/data/member").as_deref(), Some("/var/lib/etcd/member"));
        assert_eq!(
            at("/etc/os-release").as_deref(),
            Some("/run/k3s/rootfs/etc/os-release")
        );
        // Memory that no mount of the machine shows, and what is no path.
        assert_eq!(at("/tmp/x"), None);
        assert_eq!(at("relative"), None);
        // Nobody may look at its mounts.
        assert_eq!(
            Places::of_process(&root, 8, &machine).on_machine("/a"),
            None
        );
        assert_eq!(Places::default().on_machine("/a").unwrap(), "/a");
    }
}
