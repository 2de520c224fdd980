//! JSON patches in the form of the objects that they change.

use serde_json::{Map, Value};

use crate::json::Node;

/// Most operations of one patch that are looked at.
const MAX_OPERATIONS: usize = 10_000;
/// Longest path.
const MAX_STEPS: usize = 32;

/// What a JSON patch (RFC 6902) adds or replaces, as an object: list positions become items of a list, whatever their
/// number. What it removes is not in it.
pub(crate) fn as_object(patch: Node<'_>) -> Value {
    let mut object = Value::Object(Map::new());
    for operation in patch.items().take(MAX_OPERATIONS) {
        let text = |key| operation.get(key).and_then(Node::str);
        let writes = text("op").is_some_and(|op| op == "add" || op == "replace");
        let (true, Some(path), Some(value)) = (writes, text("path"), operation.get("value")) else {
            continue;
        };
        let Ok(value) = value_of(value) else { continue };
        let steps: Vec<String> = path
            .split('/')
            .skip(1)
            .take(MAX_STEPS)
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect();
        put(&mut object, &steps, value);
    }
    object
}

/// Whether a JSON patch moves or copies parts of the object, so that what it makes of it does not stand in it.
pub(crate) fn takes_from_elsewhere(patch: Node<'_>) -> bool {
    patch
        .items()
        .take(MAX_OPERATIONS)
        .filter_map(|operation| operation.get("op")?.text())
        .any(|op| op.is("copy") || op.is("move"))
}

fn value_of(node: Node<'_>) -> serde_json::Result<Value> {
    match node.text() {
        Some(text) => Ok(Value::String(text.decode().into_owned())),
        None => serde_json::from_slice(node.raw()),
    }
}

/// Puts `value` where `steps` lead. Operations on the same position of a list meet in one item.
fn put(place: &mut Value, steps: &[String], value: Value) {
    let [first, rest @ ..] = steps else {
        *place = value;
        return;
    };
    let is_position = first == "-" || first.parse::<u32>().is_ok();
    if is_position && !place.is_object() {
        if !place.is_array() {
            *place = Value::Array(Vec::new());
        }
        let Some(list) = place.as_array_mut() else {
            return;
        };
        let at = match first.parse::<usize>() {
            Ok(at) if !rest.is_empty() => at.min(list.len()),
            _ => list.len(),
        };
        if at == list.len() {
            list.push(Value::Null);
        }
        if let Some(item) = list.get_mut(at) {
            put(item, rest, value);
        }
        return;
    }
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    if let Some(object) = place.as_object_mut() {
        // What comes below a number is a list, whose place is not there yet.
        put(object.entry(first).or_insert(Value::Null), rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Tree;

    fn object(patch: &str) -> String {
        let tree = Tree::read(patch.as_bytes()).unwrap();
        as_object(tree.root().unwrap()).to_string()
    }

    #[test]
    fn operations_become_what_they_write() {
        assert_eq!(
            object(
                r#"[{"op":"test","path":"/a","value":1},
                {"op":"add","path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}},
                {"op":"replace","path":"/spec/template/spec/containers/0/image","value":"x"},
                {"op":"add","path":"/spec/template/spec/volumes/-","value":{"hostPath":{"path":"/"}}},
                {"op":"remove","path":"/metadata/labels/a~1b"}]"#
            ),
            r#"{"spec":{"template":{"spec":{"containers":[{"image":"x","securityContext":{"privileged":true}}],"volumes":[{"hostPath":{"path":"/"}}]}}}}"#
        );
        assert_eq!(
            object(r#"[{"op":"add","path":"/rules/-","value":{"verbs":["*"]}}]"#),
            r#"{"rules":[{"verbs":["*"]}]}"#
        );
    }

    #[test]
    fn what_is_no_patch_writes_nothing() {
        for patch in [
            "[]",
            "[1,null,{}]",
            r#"[{"op":"add","path":1,"value":1},{"op":"add","path":"/a"}]"#,
        ] {
            assert_eq!(object(patch), "{}");
        }
        let deep = format!(
            r#"[{{"op":"add","path":"{}","value":1}}]"#,
            "/a".repeat(10_000)
        );
        assert!(object(&deep).len() < 1_000);
    }
}
