//! Whom a container's or image's processes start as: its `User`, and what that comes to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Resolves a `User` (`""`, `name`, `uid`, `name:group`, `uid:gid`) as runtimes do. `file` reads a file of the
/// container, or says why it cannot; it is asked only when a name needs it.
pub(crate) fn resolve(user: &str, file: &dyn Fn(&str) -> Result<Vec<u8>, String>) -> Value {
    let (name, group) = user.split_once(':').unwrap_or((user, ""));
    let mut data = BTreeMap::from([("name", json!(name)), ("group", json!(group))]);
    let uid = uid(name, file);
    match &uid {
        Ok((uid, source)) => {
            data.insert("uid", json!(uid));
            data.insert("is_root", json!(*uid == 0));
            data.insert("source", json!(source));
        }
        Err(why) => {
            data.insert("why", json!(why));
        }
    }
    let gid = match (group, &uid) {
        // Without a group it is that of the user, which only its `/etc/passwd` says; root's is root's.
        ("" | "0" | "root", Ok((0, _))) => Some(0),
        (group, _) => group.parse::<u32>().ok(),
    };
    if let Some(gid) = gid {
        data.insert("gid", json!(gid));
    }
    json!(data)
}

fn uid(
    name: &str,
    file: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<(u32, &'static str), String> {
    if name.is_empty() {
        return Ok((0, "default"));
    }
    // Runtimes look for a name made of digits as well, but nobody has one.
    if let Ok(uid) = name.parse() {
        return Ok((uid, "numeric"));
    }
    match file("/etc/passwd") {
        Ok(passwd) => {
            let passwd = String::from_utf8_lossy(&passwd);
            let entry = passwd.lines().find_map(|line| {
                let mut fields = line.split(':');
                (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())
            });
            match entry.flatten() {
                Some(uid) => Ok((uid, "passwd")),
                None => Err(format!("its /etc/passwd has no user {name}")),
            }
        }
        // Whatever the file says, nobody gives this name to another.
        Err(_unread) if name == "root" => Ok((0, "name")),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_what_they_come_to() {
        let passwd = "root:x:0:0::/:\napp:x:1000:1000::/:\ntoor:x:0:0::/:\nbad:x:y:0::/:\n";
        for (user, expected) in [
            (
                "",
                json!({"name": "", "group": "", "uid": 0, "gid": 0, "is_root": true, "source": "default"}),
            ),
            (
                "0:0",
                json!({"name": "0", "group": "0", "uid": 0, "gid": 0, "is_root": true, "source": "numeric"}),
            ),
            (
                "root:root",
                json!({"name": "root", "group": "root", "uid": 0, "gid": 0, "is_root": true, "source": "passwd"}),
            ),
            (
                "toor",
                json!({"name": "toor", "group": "", "uid": 0, "gid": 0, "is_root": true, "source": "passwd"}),
            ),
            (
                "app:staff",
                json!({"name": "app", "group": "staff", "uid": 1000, "is_root": false, "source": "passwd"}),
            ),
            (
                "00:10",
                json!({"name": "00", "group": "10", "uid": 0, "gid": 10, "is_root": true, "source": "numeric"}),
            ),
            (
                "ghost",
                json!({"name": "ghost", "group": "", "why": "its /etc/passwd has no user ghost"}),
            ),
            (
                "bad",
                json!({"name": "bad", "group": "", "why": "its /etc/passwd has no user bad"}),
            ),
        ] {
            assert_eq!(resolve(user, &|_| Ok(passwd.into())), expected, "{user}");
        }
        let unread = |_: &str| Err("no".to_owned());
        assert_eq!(
            resolve("app", &unread),
            json!({"name": "app", "group": "", "why": "no"})
        );
        assert_eq!(resolve("root", &unread)["source"], json!("name"));
    }
}
