//! Docker's `config.json`: any bytes as one, asked for the login of a registry that wants one.

use std::sync::LazyLock;
use std::time::Duration;

use seareeve_image::{Credentials, Options, Source};
use seareeve_model::ImageReference;

use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "credentials",
    run,
    longest: 2 << 10,
    seeds: || made::seeds("credentials"),
    words: &[
        "\"auths\"",
        "\"auth\"",
        "\"username\"",
        "\"password\"",
        "\"identitytoken\"",
        "\"registrytoken\"",
        "\"credHelpers\"",
        "\"credsStore\"",
        "\"@host\"",
        "\"@host/a\"",
        "\"@host/a/b\"",
        "\"https://@host/v2/\"",
        "\"*.0.0.1\"",
        "\"https://index.docker.io/v1/\"",
        "YTpi",
    ],
};

/// Asks for a password, then for a token, and gives nothing to anyone.
const ANSWERS: &[u8] = b"401\nwww-authenticate: Basic realm=\"x\"\n\n\n====\n401\nwww-authenticate: Bearer realm=\"http://@host/t\"\n\n\n====\n401\nwww-authenticate: Bearer realm=\"http://@host/t\"\n\n\n====\n200\n\n{\"token\":\"a\"}";

static SERVER: LazyLock<Server> = LazyLock::new(Server::on_loopback);

fn run(input: &[u8]) {
    SERVER.set(ANSWERS);
    // Most keys are for the registry itself, whose port nobody can guess.
    let mut json = Vec::new();
    for (number, part) in made::parts(input, b"@host", 32).into_iter().enumerate() {
        if number > 0 {
            json.extend_from_slice(SERVER.host.as_bytes());
        }
        json.extend_from_slice(part);
    }
    let (_file, path) = made::temporary(&json);
    // No folder, so that no program is run, whatever it is called.
    let (credentials, _errors) = Credentials::from_files(&[path], Vec::new());
    let options = Options {
        credentials,
        retries: 0,
        read_timeout: Duration::from_secs(5),
        ..Options::default()
    };
    for _ in 0..2 {
        let image: ImageReference = format!("{}/a/b:1", SERVER.host)
            .parse()
            .expect("a reference");
        let _ = made::read(&Source::Registry(image), &options);
    }
}
