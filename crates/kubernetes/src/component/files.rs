//! Files beside its configuration that the API server is told to read: what encrypts secrets, what is written to the
//! audit log, and who is let in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ConfigFile;
use crate::json::{list, put, texts};

/// The flags that name such files.
pub const TOLD_FILES: [&str; 4] = [
    "audit-policy-file",
    "authentication-config",
    "authorization-config",
    "encryption-provider-config",
];

/// Most entries of a list in such a file that are kept.
const MAX_ENTRIES: usize = 1_000;

/// What is kept of the content of such a file: the rest of it may be keys.
#[must_use]
pub fn reduced(flag: &str, content: &Value) -> Value {
    let entries = |pointer| list(content, pointer).iter().take(MAX_ENTRIES);
    match flag {
        // Names of API objects and levels; nothing in it is secret.
        "audit-policy-file" => json!({"rules": entries("/rules").cloned().collect::<Vec<_>>()}),
        "authorization-config" => {
            let kinds = entries("/authorizers").filter_map(|one| one.get("type")?.as_str());
            json!({"authorizers": kinds.collect::<Vec<_>>()})
        }
        "authentication-config" => {
            let anonymous = content.pointer("/anonymous/enabled");
            json!({"anonymous": anonymous.and_then(Value::as_bool)})
        }
        "encryption-provider-config" => {
            let resources = entries("/resources").map(|entry| {
                let providers = list(entry, "/providers").iter().take(MAX_ENTRIES);
                // Each is a map of one key, which is the kind; below it are the keys to encrypt with.
                let kinds: Vec<&String> = providers
                    .filter_map(|provider| provider.as_object()?.keys().next())
                    .collect();
                let resources: Vec<&str> = texts(entry, "/resources").take(MAX_ENTRIES).collect();
                json!({"resources": resources, "providers": kinds})
            });
            json!({"resources": resources.collect::<Vec<_>>()})
        }
        _ => Value::Null,
    }
}

/// Adds what is told of them as facts of their own.
pub(super) fn tell(files: &BTreeMap<&'static str, ConfigFile>, data: &mut Map<String, Value>) {
    for (flag, name, part) in [
        ("encryption-provider-config", "encryption", "resources"),
        ("audit-policy-file", "audit_policy", "rules"),
    ] {
        let Some(file) = files.get(flag) else {
            continue;
        };
        let mut item = Map::new();
        item.insert("path".to_owned(), file.path.as_str().into());
        item.insert("status".to_owned(), file.status.into());
        put(&mut item, "detail", file.detail.as_deref());
        let content = file
            .content
            .as_ref()
            .and_then(|content| content.get(part).cloned());
        put(&mut item, part, content);
        data.insert(name.to_owned(), Value::Object(item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_kept() {
        let file = crate::value(
            br"
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets, configmaps]
    providers:
      - aescbc: {keys: [{name: key1, secret: c2VjcmV0IGlzIHNlY3VyZQ==}]}
      - identity: {}
  - resources: ['*.*']
    providers: []
",
        )
        .unwrap();
        let kept = reduced("encryption-provider-config", &file);
        assert_eq!(
            kept,
            json!({"resources": [
                {"resources": ["secrets", "configmaps"], "providers": ["aescbc", "identity"]},
                {"resources": ["*.*"], "providers": []},
            ]})
        );
        assert_eq!(reduced("client-ca-file", &file), Value::Null);
        for odd in [
            json!(null),
            json!([1]),
            json!({"resources": {"providers": 1}}),
        ] {
            let kept = reduced("encryption-provider-config", &odd);
            assert_eq!(kept, json!({"resources": []}));
        }
    }
}
