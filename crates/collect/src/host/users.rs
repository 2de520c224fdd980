//! Local users and groups (passwd(5), group(5)).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Entries of one file that are read.
const ENTRIES: usize = 100_000;

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// A line of `/etc/group`, with those whose primary group it is among its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) gid: u32,
    pub(crate) members: BTreeSet<String>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    user_names: BTreeMap<u32, String>,
    group_names: BTreeMap<u32, String>,
}

impl Accounts {
    /// Reads both files. Lines of another form are passed over, as the system does.
    pub(crate) fn parse(passwd: &str, group: &str) -> Self {
        let users: Vec<User> = passwd.lines().filter_map(user).take(ENTRIES).collect();
        let mut groups: Vec<Group> = group
            .lines()
            .filter_map(self::group)
            .take(ENTRIES)
            .collect();
        // The first entry counts, as with getpwuid(3).
        let (mut user_names, mut group_names) = (BTreeMap::new(), BTreeMap::new());
        let mut by_group: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for user in &users {
            user_names.entry(user.uid).or_insert(user.name.clone());
            by_group
                .entry(user.gid)
                .or_default()
                .insert(user.name.clone());
        }
        for group in &mut groups {
            group_names.entry(group.gid).or_insert(group.name.clone());
            let primary = by_group.get(&group.gid).into_iter().flatten();
            group.members.extend(primary.cloned());
        }
        Self {
            users,
            groups,
            user_names,
            group_names,
        }
    }

    pub(crate) fn user_name(&self, uid: u32) -> Option<&str> {
        self.user_names.get(&uid).map(String::as_str)
    }

    pub(crate) fn group_name(&self, gid: u32) -> Option<&str> {
        self.group_names.get(&gid).map(String::as_str)
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Facts: id and data.
    pub(crate) fn user_data(&self) -> impl Iterator<Item = (String, Value)> {
        let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for group in &self.groups {
            for member in &group.members {
                of.entry(member).or_default().insert(&group.name);
            }
        }
        self.users.iter().map(move |user| {
            let groups = of.get(user.name.as_str());
            let data = json!({
                "name": user.name, "uid": user.uid, "gid": user.gid, "home": user.home, "shell": user.shell,
                "groups": groups.cloned().unwrap_or_default(),
            });
            (user.name.clone(), data)
        })
    }

    /// Facts: id and data.
    pub(crate) fn group_data(&self) -> impl Iterator<Item = (String, Value)> {
        self.groups.iter().map(|group| {
            let data = json!({"name": group.name, "gid": group.gid, "members": group.members});
            (group.name.clone(), data)
        })
    }
}

fn user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let home = fields.nth(1).unwrap_or_default().to_owned();
    let shell = fields.next().unwrap_or_default().to_owned();
    Some(User {
        name,
        uid,
        gid,
        home,
        shell,
    })
}

fn group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let gid = fields.nth(1)?.parse().ok()?;
    let members = fields.next().unwrap_or_default().split(',');
    Some(Group {
        name,
        gid,
        members: members
            .map(str::trim)
            .filter(|member| !member.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_also_those_whose_primary_group_it_is() {
        let accounts = Accounts::parse(
            "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:999::/:/x\n+nis\nbad:x:a:b\n",
            "root:x:0:\nann:x:1000:\ndocker:x:999:ann, cleo\n\nbad\n",
        );
        let docker = accounts.group("docker").unwrap();
        assert_eq!(
            docker.members,
            ["ann", "bob", "cleo"].map(str::to_owned).into()
        );
        assert_eq!(accounts.user_name(1000), Some("ann"));
        assert_eq!(accounts.group_name(999), Some("docker"));
        assert_eq!(accounts.user_name(7), None);
        let (id, data) = accounts.user_data().nth(1).unwrap();
        assert_eq!(id, "ann");
        assert_eq!(data["groups"], json!(["ann", "docker"]));
    }
}
