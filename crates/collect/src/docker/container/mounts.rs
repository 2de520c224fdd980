//! What of the host a container sees, whatever the mount calls itself.

use std::os::unix::fs::FileTypeExt;

use camino::Utf8Path;
use serde_json::{Map, Value, json};

use super::{list, value};
use crate::docker::engine::HostView;
use crate::docker::volume::Volume;

/// Nothing when the engine did not say.
pub(super) fn told(
    data: &Map<String, Value>,
    volumes: &[Volume],
    host: Option<&HostView<'_>>,
) -> Option<Value> {
    value(data, &["Mounts"])?;
    let told = list(data, &["Mounts"]).map(|mount| {
        let text = |key: &str| mount.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, name) = (text("Type"), text("Name"));
        let host_path = match kind {
            "bind" => text("Source"),
            "volume" => {
                let volume = volumes.iter().find(|volume| volume.name == name);
                volume
                    .map(|volume| volume.bind_of.as_str())
                    .unwrap_or_default()
            }
            _ => "",
        };
        let mut told = Map::from_iter([
            ("type".to_owned(), json!(kind)),
            ("name".to_owned(), json!(name)),
            ("driver".to_owned(), json!(text("Driver"))),
            ("destination".to_owned(), json!(text("Destination"))),
            ("propagation".to_owned(), json!(text("Propagation"))),
            ("host_path".to_owned(), json!(host_path)),
            ("is_socket".to_owned(), json!(false)),
        ]);
        if let Some(rw) = mount.get("RW") {
            told.insert("rw".to_owned(), rw.clone());
        }
        let seen = host
            .filter(|_| host_path.starts_with('/'))
            .map(|host| host.root.metadata(Utf8Path::new(host_path)));
        if let Some(Ok((real, metadata))) = seen {
            told.insert("real_host_path".to_owned(), json!(real));
            let is_socket = metadata.file_type().is_socket();
            told.insert("is_socket".to_owned(), json!(is_socket));
        }
        Value::Object(told)
    });
    Some(told.collect())
}
