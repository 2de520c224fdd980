//! What of a foreign document is kept: fields named here, of the type named here. Everything else is left out, and
//! what should have been something else is said.

use serde_json::{Map, Value};

/// Longest text that is kept.
const TEXT: usize = 64 << 10;
/// Problems of one document that are told.
const PROBLEMS: usize = 20;

/// The part of a document that is kept.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A text; null is empty.
    Text,
    /// A whole number; null is 0, as it is to those who wrote it.
    Int,
    /// null is false.
    Bool,
    /// A list; null is empty.
    List(&'static Shape),
    /// An object with any keys; null is empty.
    Map(&'static Shape),
    /// An object of which these fields are kept; null is no object.
    Object(&'static [(&'static str, Shape)]),
    /// Keys that mean themselves (`{"80/tcp": {}}`): the sorted list of them.
    Keys,
    /// A field that those who write it leave out when it is empty.
    Omitted(&'static Shape),
}

impl Shape {
    fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "number",
            Self::Bool => "boolean",
            Self::List(_) => "list",
            Self::Map(_) | Self::Object(_) | Self::Keys => "object",
            Self::Omitted(shape) => shape.name(),
        }
    }

    fn empty(&self) -> Option<Value> {
        match self {
            Self::Text => Some("".into()),
            Self::Int => Some(0.into()),
            Self::Bool => Some(false.into()),
            Self::List(_) | Self::Keys => Some(Value::Array(Vec::new())),
            Self::Map(_) => Some(Value::Object(Map::new())),
            Self::Object(_) => None,
            Self::Omitted(shape) => shape.empty(),
        }
    }
}

/// Keeps what `fields` names of an object, and says what is not what it should be.
pub(crate) fn trim(
    document: Value,
    fields: &'static [(&'static str, Shape)],
) -> (Map<String, Value>, Vec<String>) {
    let mut problems = Vec::new();
    let kept = match document {
        Value::Object(object) => trim_fields(object, fields, "", &mut problems),
        _ => {
            problems.push("the document is no object".to_owned());
            Map::new()
        }
    };
    (kept, problems)
}

fn trim_fields(
    mut object: Map<String, Value>,
    fields: &'static [(&'static str, Shape)],
    path: &str,
    problems: &mut Vec<String>,
) -> Map<String, Value> {
    let kept = fields.iter().filter_map(|(name, shape)| {
        let value = match (object.remove(*name), shape) {
            (Some(value), _) => value,
            (None, Shape::Omitted(shape)) => return Some(((*name).to_owned(), shape.empty()?)),
            (None, _) => return None,
        };
        let path = if path.is_empty() {
            (*name).to_owned()
        } else {
            format!("{path}.{name}")
        };
        Some((
            (*name).to_owned(),
            trim_value(value, shape, &path, problems)?,
        ))
    });
    kept.collect()
}

fn trim_value(
    value: Value,
    shape: &'static Shape,
    path: &str,
    problems: &mut Vec<String>,
) -> Option<Value> {
    match (shape, value) {
        (shape, Value::Null) => shape.empty(),
        (Shape::Omitted(shape), value) => trim_value(value, shape, path, problems),
        (Shape::Text, Value::String(text)) if text.len() <= TEXT => Some(Value::String(text)),
        (Shape::Int, Value::Number(number)) if number.is_i64() => Some(Value::Number(number)),
        // Beyond what a signed number holds: as much as it does.
        (Shape::Int, Value::Number(number)) if number.is_u64() => Some(i64::MAX.into()),
        (Shape::Bool, Value::Bool(bool)) => Some(Value::Bool(bool)),
        (Shape::List(of), Value::Array(list)) => Some(Value::Array(
            list.into_iter()
                .filter_map(|item| trim_value(item, of, &format!("{path}[]"), problems))
                .collect(),
        )),
        (Shape::Map(of), Value::Object(map)) => Some(Value::Object(
            map.into_iter()
                .filter(|(key, _)| key.len() <= TEXT)
                .filter_map(|(key, item)| {
                    let kept = trim_value(item, of, &format!("{path}.*"), problems)?;
                    Some((key, kept))
                })
                .collect(),
        )),
        (Shape::Object(fields), Value::Object(object)) => {
            Some(Value::Object(trim_fields(object, fields, path, problems)))
        }
        (Shape::Keys, Value::Object(map)) => {
            Some(map.into_iter().map(|(key, _)| Value::String(key)).collect())
        }
        (Shape::Text, Value::String(_)) => {
            told(problems, format!("{path} is longer than {TEXT} bytes"));
            None
        }
        (shape, _) => {
            told(problems, format!("{path} is no {}", shape.name()));
            None
        }
    }
}

fn told(problems: &mut Vec<String>, problem: String) {
    if problems.len() < PROBLEMS && !problems.contains(&problem) {
        problems.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_keeps_what_is_named_and_right() {
        const FIELDS: &[(&str, Shape)] = &[
            ("Name", Shape::Text),
            ("Size", Shape::Int),
            ("On", Shape::Bool),
            ("List", Shape::List(&Shape::Text)),
            ("Map", Shape::Map(&Shape::Text)),
            ("Inner", Shape::Object(&[("A", Shape::Int)])),
            ("Ports", Shape::Keys),
        ];
        const OMITTED: &[(&str, Shape)] = &[
            ("User", Shape::Omitted(&Shape::Text)),
            ("Tmpfs", Shape::Omitted(&Shape::Map(&Shape::Text))),
        ];
        let (kept, problems) = trim(json!({"Tmpfs": 1}), OMITTED);
        assert_eq!(Value::Object(kept), json!({"User": ""}));
        assert_eq!(problems, ["Tmpfs is no object"]);
        for (document, kept, problems) in [
            (json!({}), json!({}), vec![]),
            (
                json!({"Name": null, "Size": null, "On": null, "List": null, "Map": null, "Inner": null, "Ports": null}),
                json!({"Name": "", "Size": 0, "On": false, "List": [], "Map": {}, "Ports": []}),
                vec![],
            ),
            (
                json!({"Name": "a", "Other": 1, "List": ["a", 2, null], "Inner": {"A": 1, "B": 2},
                       "Ports": {"80/tcp": {}, "443/tcp": null}, "Size": 18446744073709551615u64}),
                json!({"Name": "a", "List": ["a", ""], "Inner": {"A": 1}, "Ports": ["443/tcp", "80/tcp"],
                       "Size": i64::MAX}),
                vec!["List[] is no text"],
            ),
            (
                json!({"Name": 1, "Size": 1.5, "On": "true", "List": {}, "Map": [], "Inner": {"A": {}}, "Ports": 1}),
                json!({"Inner": {}}),
                vec![
                    "Name is no text",
                    "Size is no number",
                    "On is no boolean",
                    "List is no list",
                    "Map is no object",
                    "Inner.A is no number",
                    "Ports is no object",
                ],
            ),
            (json!([1]), json!({}), vec!["the document is no object"]),
            (
                json!({"Name": "x".repeat(TEXT + 1)}),
                json!({}),
                vec!["Name is longer than 65536 bytes"],
            ),
        ] {
            let (found, said) = trim(document, FIELDS);
            assert_eq!(Value::Object(found), kept);
            assert_eq!(said, problems);
        }
    }
}
