//! Files that matter to an engine: whose they are, and who may what.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use camino::{Utf8Path, Utf8PathBuf};
use seareeve_model::Fact;
use serde_json::{Value, json};

use crate::host::audit::{Rules, in_real_folder};
use crate::host::root::Root;
use crate::host::users::Accounts;

/// What a file is looked at for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) role: &'static str,
    pub(crate) path: Utf8PathBuf,
    /// The engine it belongs to.
    pub(crate) engine: Option<String>,
    /// For units: whether it is not the unit itself.
    pub(crate) drop_in: bool,
}

/// Looks at files with the host's users and audit rules at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    pub(crate) root: &'a Root,
    pub(crate) accounts: &'a Accounts,
    pub(crate) rules: &'a Rules,
}

impl Files<'_> {
    /// The fact of one file, whether it exists or not.
    pub(crate) fn fact(&self, wanted: &Wanted) -> Fact {
        let mut data = BTreeMap::from([
            ("role", json!(wanted.role)),
            ("path", json!(wanted.path)),
            ("drop_in", json!(wanted.drop_in)),
        ]);
        if let Some(engine) = &wanted.engine {
            data.insert("engine", json!(engine));
        }
        let seen = self.root.metadata(&wanted.path);
        data.insert("exists", json!(seen.is_ok()));
        match &seen {
            Ok((real, metadata)) => {
                data.extend(self.described(real, metadata));
            }
            Err(error) => {
                data.insert(
                    "denied",
                    json!(error.kind() == io::ErrorKind::PermissionDenied),
                );
            }
        }
        let (place, is_folder) = match &seen {
            Ok((real, metadata)) => (real.clone(), metadata.is_dir()),
            Err(_) => (in_real_folder(self.root, &wanted.path), false),
        };
        data.insert("audit", self.rules.coverage(&place, is_folder).data());
        let of = wanted.engine.as_deref().unwrap_or_default();
        Fact {
            id: format!("{} {} {of}", wanted.role, wanted.path)
                .trim_end()
                .to_owned(),
            name: wanted.path.to_string(),
            data: json!(data),
        }
    }

    fn described(
        &self,
        real: &Utf8Path,
        metadata: &std::fs::Metadata,
    ) -> BTreeMap<&'static str, Value> {
        let bits = metadata.mode() & 0o7777;
        let kind = metadata.file_type();
        let kind = if kind.is_file() {
            "file"
        } else if kind.is_dir() {
            "directory"
        } else if kind.is_socket() {
            "socket"
        } else {
            "other"
        };
        let mut data = BTreeMap::from([
            ("real_path", json!(real)),
            ("kind", json!(kind)),
            ("mode", json!(format!("{bits:04o}"))),
            ("mode_bits", json!(bits)),
            ("uid", json!(metadata.uid())),
            ("gid", json!(metadata.gid())),
            ("reachable_by_others", json!(self.is_reachable(real))),
        ]);
        if let Some(name) = self.accounts.user_name(metadata.uid()) {
            data.insert("user", json!(name));
        }
        if let Some(name) = self.accounts.group_name(metadata.gid()) {
            data.insert("group", json!(name));
        }
        data
    }

    /// Whether all folders above let others through.
    fn is_reachable(&self, real: &Utf8Path) -> bool {
        let mut above = real.ancestors().skip(1);
        above.all(|folder| {
            let metadata = std::fs::symlink_metadata(self.root.place(folder));
            metadata.is_ok_and(|metadata| metadata.mode() & 0o001 != 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn files_are_seen_through_links_and_folders() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(at("private/keys")).unwrap();
        fs::set_permissions(at("private"), Permissions::from_mode(0o750)).unwrap();
        fs::write(at("private/keys/key.pem"), "").unwrap();
        fs::set_permissions(at("private/keys/key.pem"), Permissions::from_mode(0o4604)).unwrap();
        symlink("/private/keys/key.pem", at("key.pem")).unwrap();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let uid = fs::metadata(at("private")).unwrap().uid();
        let gid = fs::metadata(at("private")).unwrap().gid();
        let passwd = format!("me:x:{uid}:{gid}::/:\n");
        let accounts = Accounts::parse(&passwd, "");
        let rules = Rules::default();
        let files = Files {
            root: &root,
            accounts: &accounts,
            rules: &rules,
        };
        let wanted = |path: &str| Wanted {
            role: "docker.tls-key",
            path: path.into(),
            engine: Some("e1".to_owned()),
            drop_in: false,
        };
        let fact = files.fact(&wanted("/key.pem"));
        assert_eq!(fact.id, "docker.tls-key /key.pem e1");
        assert_eq!(
            fact.data,
            json!({
                "role": "docker.tls-key", "path": "/key.pem", "engine": "e1", "drop_in": false, "exists": true,
                "real_path": "/private/keys/key.pem", "kind": "file", "mode": "4604", "mode_bits": 0o4604,
                "uid": uid, "gid": gid, "user": "me", "reachable_by_others": false,
                "audit": {"persisted": [], "rules": []},
            })
        );
        let absent = files.fact(&wanted("/absent.pem")).data;
        assert_eq!(absent["exists"], json!(false));
        assert_eq!(absent["denied"], json!(false));
        assert_eq!(absent.get("mode"), None);
    }
}
