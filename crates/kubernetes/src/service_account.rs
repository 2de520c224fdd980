//! Facts about service accounts.

use serde_json::{Map, Value};

use crate::json::{list, text};
use crate::state::{Key, State};

pub(crate) fn data(state: &State, key: &Key, value: &Value, data: &mut Map<String, Value>) {
    let automount = value.get("automountServiceAccountToken");
    let automount = automount.and_then(Value::as_bool).unwrap_or(true);
    data.insert("automount".to_owned(), automount.into());
    data.insert("default".to_owned(), (key.name == "default").into());
    for (field, pointer) in [
        ("secrets", "/secrets"),
        ("image_pull_secrets", "/imagePullSecrets"),
    ] {
        let names = list(value, pointer)
            .iter()
            .filter_map(|secret| text(secret, "/name"))
            .map(Value::from);
        data.insert(field.to_owned(), names.collect());
    }
    let used_by: Vec<String> = state.workloads_as(key).into_iter().collect();
    data.insert("used_by".to_owned(), used_by.into());
    let bindings = state.bindings_of_account(key);
    data.insert("bindings".to_owned(), bindings.into());
}
