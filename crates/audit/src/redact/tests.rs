//! Credentials planted everywhere.

use proptest::prelude::*;

use super::*;

/// Where credentials are planted: each stands nowhere else.
const PLANTED: &str = r#"{"kind":"Event","auditID":"1","stage":"ResponseComplete","verb":"create",
 "requestURI":"/api/v1/namespaces/n/pods/p/exec?command=mysql&command=--password&command=PLANT-uri-next&command=--token%3DPLANT-uri%2Bflag&container=c&access_token=PLANT-uri-parameter",
 "user":{"username":"eve","extra":{"a":["Bearer PLANT-bearer"]}},"objectRef":{"resource":"RESOURCE","namespace":"n","name":"o"},
 "responseStatus":{"code":201,"message":"refused postgres://u:PLANT-message@db/x"},
 "requestObject":{"kind":"Pod","metadata":{"annotations":{
   "kubectl.kubernetes.io/last-applied-configuration":"{\"kind\":\"Secret\",\"data\":{\"a\":\"PLANT-applied\"},\"x\":[\"{\\\"password\\\":\\\"PLANT-deep\\\"}\"]}",
   "api-token":"PLANT-annotation"}},
  "spec":{"containers":[{"name":"c","image":"i","command":["run","--api-key","PLANT-argument"],"args":["--db-password=PLANT-flag","https://a:PLANT-url@h/"],
   "env":[{"name":"DB_PASSWORD","value":"PLANT-env"},{"name":"URL","value":"redis://:PLANT-env-url@r"},{"name":"LOG","value":"debug"}],
   "livenessProbe":{"httpGet":{"httpHeaders":[{"name":"Authorization","value":"PLANT-header"}]}}}]},
  "data":{"app.properties":"a=b\npassword=PLANT-property\n","token":"PLANT-key","kubeconfig":"users:\n- user:\n    client-key-data: PLANT-kubeconfig\n",
   "key.pem":"-----BEGIN PRIVATE KEY-----\nPLANT-pem\n-----END PRIVATE KEY-----\n","json":"{\"password\":\"PLANT-json\",\"a\":1}"}},
 "responseObject":{"kind":"TokenRequest","status":{"token":"PLANT-token"},"jwt":"eyJhbGciOiJSUzI1NiIsImtpZCI6IlBMQU5UIn0.eyJhdWQiOlsiUExBTlQiXX0.UExBTlQ-PLANT-jwt"},
 "annotations":{"x":"AKIA0123456789PLANTX"}}"#;

#[test]
fn planted_credentials_are_gone_and_the_event_stays_one() {
    for resource in ["pods", "configmaps", "widgets"] {
        let text = PLANTED.replace("RESOURCE", resource);
        let redacted = redact(text.as_bytes()).unwrap();
        assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
        let event: Value = serde_json::from_str(&redacted.json).unwrap();
        assert_eq!(event.pointer("/objectRef/resource").unwrap(), resource);
        assert_eq!(
            event
                .pointer("/requestObject/spec/containers/0/env/2/value")
                .unwrap(),
            "debug"
        );
        assert!(Record::read(redacted.json.as_bytes()).is_ok());
        let again = redact(redacted.json.as_bytes()).unwrap();
        assert_eq!(again.json, redacted.json);
    }
}

#[test]
fn of_secrets_and_tokens_nothing_is_left() {
    for (resource, body) in [
        (
            "secrets",
            r#"{"type":"Opaque","data":{"a":"UExBTlQ=","b":"PLANT"},"stringData":{"c":"PLANT"}}"#,
        ),
        (
            "secrets",
            r#"{"kind":"SecretList","items":[{"data":{"a":"PLANT"}},{"data":{"a":"PLANT"}}]}"#,
        ),
        (
            "secrets",
            r#"[{"op":"add","path":"/data/x","value":"PLANT"},{"op":"replace","path":"/data","value":{"y":"PLANT"}}]"#,
        ),
        ("secrets", r#"{"data":{"a":null,"b":"PLANT"}}"#),
        (
            "serviceaccounts\",\"subresource\":\"token",
            r#"{"kind":"TokenRequest","spec":{"audiences":["x"]},"status":{"token":"PLANT"}}"#,
        ),
        (
            "configmaps",
            r#"[{"op":"replace","path":"/data/DB_PASSWORD","value":"PLANT"}]"#,
        ),
        (
            "deployments",
            r#"[{"op":"add","path":"/metadata/annotations/api~1token","value":"PLANT"},
                {"value":{"a":["PLANT"]},"op":"add","path":"/data/secret"}]"#,
        ),
        (
            "tokenreviews",
            r#"{"kind":"TokenReview","spec":{"token":"PLANT"}}"#,
        ),
        (
            "configmaps",
            r#"{"kind":"List","items":[{"kind":"Secret","data":{"a":"PLANT"}}]}"#,
        ),
    ] {
        let event = format!(
            r#"{{"auditID":"1","objectRef":{{"resource":"{resource}"}},"requestObject":{body},"responseObject":{body}}}"#
        );
        let redacted = redact(event.as_bytes()).unwrap();
        assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
        assert!(!redacted.json.contains("UExBTlQ="));
        assert!(serde_json::from_str::<Value>(&redacted.json).is_ok());
    }
}

#[test]
fn what_is_no_secret_of_a_token_stays() {
    let event = r#"{"auditID":"1","objectRef":{"resource":"serviceaccounts","subresource":"token"},
        "requestObject":{"kind":"TokenRequest","spec":{"expirationSeconds":3600,"audiences":["vault"]},"status":{"token":""}},
        "responseObject":{"kind":"Status","status":"Failure","reason":"Forbidden"}}"#;
    let redacted = redact(event.as_bytes()).unwrap();
    assert_eq!(redacted.json, event);
}

#[test]
fn events_without_bodies_say_who_asked() {
    let event = r#"{"auditID":"1","verb":"create","user":{"username":"eve","groups":["g"],"extra":{"a/b":["c"]}},
        "impersonatedUser":{"username":"root","groups":["system:masters"]},"objectRef":{"resource":"pods","name":"p"},
        "responseStatus":{"code":403,"reason":"Forbidden"},"annotations":{"x":"y","z":"token=PLANT"},
        "requestObject":{"a":"b"}}"#;
    let redacted = redact_bodies(event.as_bytes()).unwrap();
    let json: Value = serde_json::from_str(&redacted.json).unwrap();
    for (pointer, expected) in [
        ("/user/groups/0", "g"),
        ("/user/extra/a~1b/0", "c"),
        ("/impersonatedUser/username", "root"),
        ("/impersonatedUser/groups/0", "system:masters"),
        ("/responseStatus/reason", "Forbidden"),
        ("/annotations/x", "y"),
        ("/annotations/z", "token=[redacted]"),
        ("/annotations/seareeve~1without-bodies", "true"),
    ] {
        let found = json.pointer(pointer).and_then(Value::as_str);
        assert_eq!(found, Some(expected), "{pointer}");
    }
    assert!(json.get("requestObject").is_none() && json.get("userAgent").is_none());
}

#[test]
fn bodies_that_cannot_be_read_are_not_kept() {
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let event = format!(
        r#"{{"auditID":"1","verb":"create","requestURI":"/x?command=--token%3DPLANT","objectRef":{{"resource":"secrets"}},
        "responseStatus":{{"code":201}},"requestObject":{{"data":"PLANT","x":{deep}}}}}"#
    );
    let redacted = redact(event.as_bytes()).unwrap();
    assert!(redacted.is_without_bodies);
    assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
    assert!(Record::read(redacted.json.as_bytes()).is_ok());
    let cut = PLANTED.get(..PLANTED.find("PLANT-deep").unwrap()).unwrap();
    let redacted = redact(cut.as_bytes()).unwrap();
    assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
    assert_eq!(redact(b"PLANT"), None);
}

#[test]
fn what_a_text_cannot_hide_behind_is_seen() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiUExBTlQiXX0.PLANT-of-more-than-forty-characters";
    let github = format!("ghu_{}PLANT", "a".repeat(36));
    let stripe = format!("rk_live_PLANT{}", "a".repeat(20));
    for value in [
        // Words are found behind escapes, of JSON in JSON, too.
        r#"{"\u0070assword":"PLANT"}"#,
        r#"{"a":"https:\/\/u:PLANT@h\/"}"#,
        r#"{"a":"{\"\\u0070assword\":\"PLANT\"}"}"#,
        // One letter that is a K only when it is made a small one.
        "{\"TO\u{212a}EN\":\"PLANT\"}",
        // A list that says only by its name what it holds, and a name that stands behind its value.
        r#"{"passwords":["PLANT",["PLANT"],{"secret":["PLANT"]}]}"#,
        r#"{"value":"PLANT","name":"DB_PASSWORD"}"#,
        r#"{"data":{"x":7,"y":"PLANT"},"kind":"Secret"}"#,
        r#"["mysql","-pPLANT"]"#,
        r#"{"a":"run -password PLANT"}"#,
        r#"{"a":"-token PLANT"}"#,
        &format!(r#"{{"a":"{jwt}"}}"#),
        &format!(r#"{{"a":"{github}"}}"#),
        &format!(r#"{{"a":"{stripe}"}}"#),
    ] {
        let event = format!(
            r#"{{"auditID":"1","objectRef":{{"resource":"pods"}},"requestObject":{value},"annotations":{{}}}}"#
        );
        let redacted = redact(event.as_bytes()).unwrap();
        assert!(!redacted.json.contains("PLANT"), "{}", redacted.json);
        assert!(!redacted.is_without_bodies);
        assert!(serde_json::from_str::<Value>(&redacted.json).is_ok());
    }
}

#[test]
fn what_would_take_too_long_or_too_much_has_no_bodies() {
    let texts = |count: usize| vec![r#""--password""#; count].join(",");
    // Each level is stepped over once for each one around it.
    let deep = (0..200).fold(
        format!(
            r#"{{"password":"PLANT","x":[{}]}}"#,
            "1,".repeat(50_000) + "1"
        ),
        |inner, _| format!(r#"{{"a":{inner}}}"#),
    );
    for body in [
        format!("[{}]", texts(MAX_WORDS + 1)),
        deep,
        r#"{"password":"PLANT","a" 1}"#.to_owned(),
    ] {
        let event = format!(
            r#"{{"auditID":"1","objectRef":{{"resource":"pods"}},"requestObject":{body},"annotations":{{}}}}"#
        );
        let redacted = redact(event.as_bytes()).unwrap();
        assert!(redacted.is_without_bodies, "{}", event.len());
        assert!(!redacted.json.contains("PLANT"));
    }
    let secrets = format!(
        r#"{{"data":{{{}}}}}"#,
        (0..=MAX_WORDS)
            .map(|n| format!(r#""{n}":"PLANT""#))
            .collect::<Vec<_>>()
            .join(",")
    );
    let event = format!(
        r#"{{"auditID":"1","objectRef":{{"resource":"secrets"}},"responseObject":{secrets}}}"#
    );
    let redacted = redact(event.as_bytes()).unwrap();
    assert!(!redacted.json.contains("PLANT"));
}

/// Everything looked at, for comparison.
fn thoroughly(event: &[u8], bodies: Bodies) -> Option<Redacted> {
    let mut redaction = Redaction {
        places: Places::everywhere(event),
        ..Redaction::new(event)
    };
    redaction.event(bodies)?;
    Some(redaction.finish())
}

/// Any JSON, made of what credentials are about.
fn json() -> impl Strategy<Value = Value> {
    let words = vec![
        "name",
        "value",
        "key",
        "kind",
        "Secret",
        "TokenRequest",
        "token",
        "password",
        "data",
        "items",
        "spec",
        "args",
        "f:password",
        "--password",
        "-p",
        "hunter2",
        "mysql",
        "-phunter2",
        "https://u:hunter2@h/",
        "Bearer hunter2",
        "a",
        "apiKey",
        "DB_PASSWORD=hunter2",
        "password: hunter2",
        "nginx:1.25",
        "{\"token\":\"hunter2\"}",
        "[{\"name\":\"apiKey\",\"value\":\"hunter2\"}]",
        "-----BEGIN KEY-----\nhunter2",
        "-token hunter2",
        "",
    ];
    let text = prop::sample::select(words);
    let leaf = prop_oneof![
        4 => text.clone().prop_map(Value::from),
        1 => any::<u16>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(text.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_not_looked_into_would_stay_as_it_is(body in json(), form in 0..3) {
        let resource = if form == 2 { "secrets" } else { "pods" };
        let mut event = format!(
            r#"{{"auditID":"1","requestURI":"/x?a=b","objectRef":{{"resource":"{resource}"}},"requestObject":{body},"annotations":{{}}}}"#
        );
        if form == 1 {
            // As other writers of JSON have it.
            event = event.replace("k", "\\u006b").replace("https://", "https:\\/\\/");
        }
        let bodies = if form == 2 { Bodies::OfSecret } else { Bodies::Other };
        prop_assert_eq!(redact(event.as_bytes()), thoroughly(event.as_bytes(), bodies));
    }
}
