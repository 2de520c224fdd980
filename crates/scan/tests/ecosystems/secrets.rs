//! Secrets in an image: in files of any layer, in its configuration and in its history; and nowhere else.

use seareeve_model::SecretPlace;
use serde_json::json;

use crate::made;

/// A token that GitHub could have issued, put together here so that nobody takes this file for a leak.
fn token() -> String {
    [
        "gh",
        "p_1Dq5nlUT",
        "4vvAHxXq1oQ",
        "sIbZbCB",
        "K6ka1i5",
        "3Cf",
    ]
    .concat()
}

#[test]
fn secrets_are_found_wherever_an_image_carries_them_and_told_by_place_only() {
    let token = token();
    let file = |path: &str| {
        (
            path.to_owned(),
            format!("one\ntoken: {token}\n").into_bytes(),
        )
    };
    let layers = [
        vec![file("srv/app/settings.yaml"), file("root/removed")],
        vec![("root/.wh.removed".to_owned(), Vec::new())],
    ];
    let config = json!({"Env": ["PATH=/usr/bin", format!("GITHUB_TOKEN={token}")]});
    let history = [
        json!({"created_by": format!("RUN |1 TOKEN={token} /bin/sh -c make")}),
        json!({"created_by": "COPY . /"}),
    ];
    let examined = made::examined(&layers, &config, &history);
    let found: Vec<String> = examined
        .secrets
        .as_ref()
        .unwrap()
        .iter()
        .map(|secret| {
            let place = match &secret.place {
                SecretPlace::Configuration { field } => field.clone(),
                SecretPlace::File {
                    path,
                    layer,
                    is_hidden,
                } => format!("{path} in layer {layer}, hidden: {is_hidden}"),
            };
            format!("{} at {place}:{}", secret.rule, secret.line)
        })
        .collect();
    assert_eq!(
        found,
        [
            "github-token at config.Env[1] GITHUB_TOKEN:1",
            "github-token at history[0]:1",
            "github-token at root/removed in layer 0, hidden: true:2",
            "github-token at srv/app/settings.yaml in layer 0, hidden: false:2",
        ]
    );

    // The step that made a layer is kept, but for its secret.
    let steps: Vec<&str> = examined
        .inventory
        .image
        .layers
        .iter()
        .map(|layer| layer.created_by.as_str())
        .collect();
    assert_eq!(steps, ["(left out, because it holds a secret)", "COPY . /"]);
    let everything = format!("{examined:?}");
    assert!(!everything.contains(&token[4..]));
}
