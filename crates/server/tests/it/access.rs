//! Who may do what.

use serde_json::{Value, json};

use crate::support::{Browser, folder, start};

#[test]
fn every_route_but_signing_in_wants_to_know_who_asks() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut nobody = Browser::new(&server);
    let document: Value = serde_json::from_str(&seareeve_server::openapi_json().unwrap()).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()))
        {
            let open = matches!(
                (method.as_str(), path.as_str()),
                (
                    "post",
                    "/api/v1/session" | "/api/v1/session/link" | "/api/v1/join"
                )
            );
            if open {
                continue;
            }
            let path = path
                .replace("{digest}", "sha256:0")
                .replace("{id}", "1")
                .replace("{benchmark}", "cis-docker");
            let answer = nobody.send(&method.to_uppercase(), &path, None);
            assert_eq!(
                (answer.status, &answer.body["error"]["code"]),
                (401, &json!("unauthorized")),
                "{method} {path}"
            );
            assert_ne!(answer.body["error"]["request_id"], "", "{method} {path}");
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} routes were asked");
    assert_eq!(nobody.get("/health").status, 200);
    assert_eq!(nobody.get("/api/v1/nothing").status, 404);
}

#[test]
fn a_link_works_once_and_leads_to_a_password() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let token = server.link.split_once("#token=").unwrap().1;
    assert_eq!(
        Browser::new(&server)
            .post("/api/v1/session/link", json!({ "token": token }))
            .status,
        401
    );
    assert_eq!(browser.get("/api/v1/session").body["password_needed"], true);

    let short = browser.send(
        "PUT",
        "/api/v1/session/password",
        Some(json!({ "new": "short" })),
    );
    assert_eq!(
        short.body["error"]["detail"],
        "a password has at least 12 characters and at most 1024 bytes"
    );
    let set = browser.send(
        "PUT",
        "/api/v1/session/password",
        Some(json!({ "new": "correct horse battery" })),
    );
    assert_eq!(
        (set.status, &set.body["password_needed"]),
        (200, &json!(false))
    );
    assert_eq!(
        browser.get("/api/v1/session").status,
        200,
        "the browser that changed it goes on"
    );

    let wrong = browser.send(
        "PUT",
        "/api/v1/session/password",
        Some(json!({ "current": "x", "new": "another long one" })),
    );
    assert_eq!(wrong.status, 400);

    let mut other = Browser::new(&server);
    let refused = other.post(
        "/api/v1/session",
        json!({ "name": "admin", "password": "wrong" }),
    );
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (401, &json!("bad_credentials"))
    );
    let answer = other.post(
        "/api/v1/session",
        json!({ "name": "ADMIN", "password": "correct horse battery" }),
    );
    assert_eq!(answer.status, 200);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert_eq!(other.send("DELETE", "/api/v1/session", None).status, 204);
    assert_eq!(other.get("/api/v1/session").status, 401);
}

#[test]
fn guessing_is_slowed_down() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::new(&server);
    let answers: Vec<u16> = (0..12)
        .map(|_| {
            browser
                .post(
                    "/api/v1/session",
                    json!({ "name": "admin", "password": "guess" }),
                )
                .status
        })
        .collect();
    assert_eq!(answers[..10], [401; 10]);
    assert_eq!(answers[11], 429);
    let limited = browser.post(
        "/api/v1/session",
        json!({ "name": "admin", "password": "guess" }),
    );
    assert!(
        limited.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
            > 0
    );
}

#[test]
fn a_cookie_alone_changes_nothing() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let csrf = browser.csrf.take();
    let refused = browser.post("/api/v1/scans", json!({ "reference": "alpine" }));
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (403, &json!("forbidden"))
    );
    browser.csrf = Some("wrong".to_owned());
    assert_eq!(browser.send("DELETE", "/api/v1/session", None).status, 403);
    browser.csrf = csrf;
    assert_eq!(browser.send("DELETE", "/api/v1/session", None).status, 204);
}

/// Signs in by the link that belongs to a new user.
fn follow(browser: &mut Browser, user: &Value) {
    let path = user["sign_in_path"].as_str().unwrap();
    let token = path.split_once("#token=").unwrap().1;
    let answer = browser.post("/api/v1/session/link", json!({ "token": token }));
    assert_eq!(answer.status, 200);
}

#[test]
fn readers_change_nothing_but_their_own() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut owner = Browser::signed_in(&server);
    let made = owner.post("/api/v1/users", json!({ "name": "rita", "role": "reader" }));
    let mut reader = Browser::new(&server);
    follow(&mut reader, &made.body);
    let document: Value = serde_json::from_str(&seareeve_server::openapi_json().unwrap()).unwrap();
    let mut let_in = Vec::new();
    let mut refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !["post", "put", "patch", "delete"].contains(&method.as_str())
                || path.starts_with("/api/v1/session")
            {
                continue;
            }
            let asked = path
                .replace("{digest}", &format!("sha256:{}", "0".repeat(64)))
                .replace("{id}", "1")
                .replace("{benchmark}", "cis-docker");
            // Of what is wanted nothing is in it, so that nothing is done whoever asks.
            let body = operation.get("requestBody").map(|_| json!({}));
            let answer = reader.send(&method.to_uppercase(), &asked, body);
            match answer.status {
                403 => refused += 1,
                // It was not read so far that it would matter who asks.
                400 | 422 => {}
                _ => let_in.push(format!("{method} {path}")),
            }
        }
    }
    // Facts are sensors' matter (401); nothing is kept of a trial; tokens are one's own.
    let own = [
        "patch /api/v1/facts",
        "put /api/v1/facts",
        "put /api/v1/facts/index",
        "post /api/v1/recommendations/{id}/settings/preview",
        "delete /api/v1/tokens/{id}",
    ];
    assert_eq!(let_in, own);
    assert!(refused > 30, "only {refused} were refused");
}

#[test]
fn roles_and_tokens_bound_what_may_be_done() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut owner = Browser::signed_in(&server);
    let made = owner.post("/api/v1/users", json!({ "name": "rita", "role": "reader" }));
    assert_eq!(made.status, 201);
    assert_eq!(
        owner
            .post("/api/v1/users", json!({ "name": "Rita", "role": "reader" }))
            .status,
        409
    );
    assert_eq!(
        owner
            .post("/api/v1/users", json!({ "name": "x", "role": "king" }))
            .status,
        400
    );

    let mut reader = Browser::new(&server);
    follow(&mut reader, &made.body);
    assert_eq!(reader.get("/api/v1/images").status, 200);
    assert_eq!(
        reader
            .post("/api/v1/scans", json!({ "reference": "alpine" }))
            .status,
        403
    );
    assert_eq!(reader.get("/api/v1/users").status, 403);

    let token = reader.post("/api/v1/tokens", json!({ "name": "ci", "days": 30 }));
    assert_eq!(token.status, 201);
    let secret = token.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("seareeve_"));
    assert_eq!(
        reader.get("/api/v1/tokens").body["tokens"][0]["secret"],
        Value::Null
    );
    let client = seareeve_api::Client::new(&server.address, &secret).unwrap();
    assert_eq!(client.status().unwrap().database.kind, "starter");
    let refused = client
        .scan(&seareeve_api::ScanRequest {
            reference: "alpine".to_owned(),
        })
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("server answered 403 forbidden"),
        "{refused}"
    );
    let id = token.body["id"].as_i64().unwrap();
    assert_eq!(
        owner
            .send("DELETE", &format!("/api/v1/tokens/{id}"), None)
            .status,
        404,
        "somebody else's token"
    );
    assert_eq!(
        reader
            .send("DELETE", &format!("/api/v1/tokens/{id}"), None)
            .status,
        204
    );
    assert!(
        client
            .status()
            .unwrap_err()
            .to_string()
            .starts_with("server answered 401")
    );
}

#[test]
fn errors_have_one_shape() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    for (method, path, body, status, code) in [
        ("GET", "/api/v1/images/latest", None, 404, "not_found"),
        (
            "GET",
            "/api/v1/images?severity=severe",
            None,
            400,
            "bad_request",
        ),
        ("GET", "/api/v1/images?cursor=x", None, 400, "bad_request"),
        ("GET", "/api/v1/images?colour=red", None, 400, "bad_request"),
        ("PATCH", "/api/v1/images", None, 405, "method_not_allowed"),
        (
            "POST",
            "/api/v1/scans",
            Some(json!({ "reference": "UPPER CASE" })),
            400,
            "bad_request",
        ),
        (
            "POST",
            "/api/v1/scans",
            Some(json!({ "ref": "alpine" })),
            422,
            "bad_request",
        ),
        ("POST", "/api/v1/sboms", Some(json!({})), 422, "bad_request"),
    ] {
        let answer = browser.send(method, path, body);
        let error = &answer.body["error"];
        assert_eq!(
            (answer.status, error["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {}",
            answer.body
        );
        assert_eq!(error["status"], status);
        assert_eq!(
            error["request_id"],
            answer.headers["x-request-id"].to_str().unwrap()
        );
    }
}

#[test]
fn what_does_not_fit_is_named_and_not_quoted() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut browser = Browser::signed_in(&server);
    let exemption = |expires| json!({"recommendation": "x", "kind": "waiver", "reason": "y", "expires": expires});
    for (path, body, named) in [
        // Beyond the last instant that there is a name for.
        (
            "/api/v1/exemptions",
            exemption(json!("9999-12-31T23:59:59Z")),
            "expires",
        ),
        ("/api/v1/exemptions", exemption(json!("hunter2")), "expires"),
        (
            "/api/v1/join-tokens",
            json!({"name": "x", "hours": "hunter2"}),
            "hours",
        ),
        (
            "/api/v1/join-tokens",
            json!({"name": "x", "hours": "a\", expected b\"hunter2"}),
            "expected u32",
        ),
        ("/api/v1/join-tokens", json!({"hours": 1}), "`name`"),
        (
            "/api/v1/session",
            json!({"name": "admin", "password": 31_415_926}),
            "password: expected a string",
        ),
    ] {
        let answer = browser.post(path, body);
        let detail = answer.body["error"]["detail"].as_str().unwrap();
        assert_eq!(answer.status, 422, "{detail}");
        assert!(detail.contains(named), "{detail}");
        assert!(!detail.contains("hunter2"), "{detail}");
        assert!(!detail.contains("31415926"), "{detail}");
    }
}

#[test]
fn the_document_can_be_generated_from() {
    let document: Value = serde_json::from_str(&seareeve_server::openapi_json().unwrap()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else {
                continue;
            };
            assert!(
                names.insert(name.to_owned()),
                "{method} {path}: a second operation is called {name}"
            );
        }
    }
    assert!(names.len() > 20, "{names:?}");
}

#[test]
fn a_reset_password_ends_the_sessions_that_could_set_the_next() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let mut thief = Browser::signed_in(&server);
    let set = thief.send(
        "PUT",
        "/api/v1/session/password",
        Some(json!({ "new": "correct horse battery" })),
    );
    assert_eq!(set.status, 200);
    let mut config = seareeve_server::config::Config::default();
    config.server.data_dir.clone_from(&data);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let path = runtime
        .block_on(seareeve_server::sign_in_path(&config, "admin", true))
        .unwrap();
    assert_eq!(thief.get("/api/v1/session").status, 401);
    let mut owner = Browser::new(&server);
    let token = path.split_once("#token=").unwrap().1;
    let answer = owner.post("/api/v1/session/link", json!({ "token": token }));
    assert_eq!(
        (answer.status, &answer.body["password_needed"]),
        (200, &json!(true))
    );
}

#[test]
fn strangers_cannot_fill_the_memory() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    let large = json!({ "name": "a".repeat(100_000), "password": "x" });
    let answer = Browser::new(&server).post("/api/v1/session", large);
    assert_eq!(
        (answer.status, &answer.body["error"]["code"]),
        (413, &json!("too_large"))
    );
}

#[test]
fn links_are_not_held_back_by_guesses_at_names() {
    let (_keep, data) = folder();
    let server = start(&data, |_| {});
    for _ in 0..12 {
        Browser::new(&server).post("/api/v1/session", json!({ "name": "", "password": "x" }));
    }
    Browser::signed_in(&server);
}

#[test]
fn a_server_that_others_reach_prints_no_sign_in_link() {
    let (_folder, data) = folder();
    let there = start(&data, |config| {
        config.server.listen = "0.0.0.0:0".parse().unwrap();
        config.server.behind_proxy = true;
    });
    // What it prints stands in the log of its pod, which others read who may not own the server.
    assert_eq!(there.link, "");
    drop(there);
    let here = start(&data, |_| {});
    assert!(here.link.contains("/sign-in#token="), "{}", here.link);
}
