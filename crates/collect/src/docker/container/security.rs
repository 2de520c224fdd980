//! What confines a container: its own options over those of the daemon.

use serde_json::{Map, Value, json};

use super::{Surroundings, value};
use crate::docker::daemon::Security;
use crate::docker::environment;

/// What its `SecurityOpt` say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Own {
    no_new_privileges: Option<bool>,
    seccomp: Option<String>,
    apparmor: Option<String>,
    label_disabled: bool,
    systempaths_unconfined: bool,
}

/// Reads options, which may be written `key=value` or `key:value`.
fn own<'a>(options: impl Iterator<Item = &'a str>) -> Own {
    let mut own = Own::default();
    for option in options {
        let (key, value) = match option.find(['=', ':']) {
            Some(at) => option.split_at(at),
            None => (option, ""),
        };
        let value = value.get(1..).unwrap_or_default();
        match key {
            "no-new-privileges" => own.no_new_privileges = Some(value != "false"),
            "seccomp" => own.seccomp = Some(seccomp(value)),
            "apparmor" => own.apparmor = Some(value.to_owned()),
            "label" => own.label_disabled |= value == "disable",
            "systempaths" => own.systempaths_unconfined |= value == "unconfined",
            _ => {}
        }
    }
    own
}

/// Engines keep a profile's whole text; what matters is that it is one of its own.
fn seccomp(value: &str) -> String {
    match value {
        "unconfined" => value.to_owned(),
        "" | "builtin" | "default" => "default".to_owned(),
        profile if profile.trim_start().starts_with('{') => "custom".to_owned(),
        path => path.to_owned(),
    }
}

/// Nothing when the engine said nothing of it.
pub(super) fn told(data: &Map<String, Value>, around: &Surroundings<'_>) -> Option<Value> {
    let default = match around.is_podman {
        // It has no such option.
        true => Some((false, "default")),
        false => {
            let set = around.options.bool("no-new-privileges");
            set.map(|set| (set, "daemon"))
        }
    };
    confined(data, around.security, default)
}

fn confined(
    data: &Map<String, Value>,
    daemon: &Security,
    no_new_privileges: Option<(bool, &'static str)>,
) -> Option<Value> {
    let security_opt = value(data, &["HostConfig", "SecurityOpt"])?;
    let is_privileged = value(data, &["HostConfig", "Privileged"])?.as_bool()?;
    let own = own(environment::texts(Some(security_opt)));
    let (seccomp, seccomp_from) = match (&own.seccomp, is_privileged) {
        (Some(profile), _) => (profile.clone(), "container"),
        (None, true) => ("unconfined".to_owned(), "privileged"),
        (None, false) => (daemon.seccomp.clone(), "daemon"),
    };
    let apparmor = value(data, &["AppArmorProfile"])
        .and_then(Value::as_str)
        .filter(|profile| !profile.is_empty())
        .map(str::to_owned)
        .or(own.apparmor)
        .unwrap_or_default();
    let mut told = json!({
        "seccomp": seccomp, "seccomp_from": seccomp_from, "apparmor": apparmor,
        "selinux_disabled": own.label_disabled,
        "systempaths_unconfined": own.systempaths_unconfined || is_privileged,
    });
    let no_new_privileges = match own.no_new_privileges {
        Some(own) => Some((own, "container")),
        None => no_new_privileges,
    };
    if let (Some((set, from)), Value::Object(told)) = (no_new_privileges, &mut told) {
        told.insert("no_new_privileges".to_owned(), set.into());
        told.insert("no_new_privileges_from".to_owned(), from.into());
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_both_forms() {
        for (option, expected) in [
            (
                "no-new-privileges",
                Own {
                    no_new_privileges: Some(true),
                    ..Own::default()
                },
            ),
            (
                "no-new-privileges:true",
                Own {
                    no_new_privileges: Some(true),
                    ..Own::default()
                },
            ),
            (
                "no-new-privileges=false",
                Own {
                    no_new_privileges: Some(false),
                    ..Own::default()
                },
            ),
            (
                "seccomp=unconfined",
                Own {
                    seccomp: Some("unconfined".to_owned()),
                    ..Own::default()
                },
            ),
            (
                "seccomp:{\"defaultAction\":\"x\"}",
                Own {
                    seccomp: Some("custom".to_owned()),
                    ..Own::default()
                },
            ),
            (
                "seccomp=builtin",
                Own {
                    seccomp: Some("default".to_owned()),
                    ..Own::default()
                },
            ),
            (
                "apparmor=unconfined",
                Own {
                    apparmor: Some("unconfined".to_owned()),
                    ..Own::default()
                },
            ),
            (
                "label=disable",
                Own {
                    label_disabled: true,
                    ..Own::default()
                },
            ),
            ("label:type:svirt_t", Own::default()),
            (
                "systempaths=unconfined",
                Own {
                    systempaths_unconfined: true,
                    ..Own::default()
                },
            ),
        ] {
            assert_eq!(own([option].into_iter()), expected, "{option}");
        }
    }

    #[test]
    fn the_container_counts_over_the_daemon() {
        let daemon = Security {
            seccomp: "default".to_owned(),
            ..Security::default()
        };
        let told = |options: Value, privileged: bool| {
            let data = json!({"HostConfig": {"SecurityOpt": options, "Privileged": privileged}});
            let Value::Object(data) = data else { panic!() };
            confined(&data, &daemon, None).unwrap()
        };
        assert_eq!(told(json!([]), false)["seccomp_from"], json!("daemon"));
        assert_eq!(told(json!([]), true)["seccomp"], json!("unconfined"));
        assert_eq!(
            told(json!(["seccomp=/p.json"]), true)["seccomp"],
            json!("/p.json")
        );
        // The daemon's default is not known here.
        assert_eq!(told(json!([]), false).get("no_new_privileges"), None);
        assert_eq!(
            told(json!(["no-new-privileges=false"]), false)["no_new_privileges"],
            json!(false)
        );
    }
}
