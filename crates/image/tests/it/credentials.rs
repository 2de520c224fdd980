//! Who is shown which credentials.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use camino::Utf8PathBuf;
use seareeve_image::{Credentials, Environment, Login, Options, ReadError, Secret};
use serde_json::json;

use crate::fake::{Request, Server, reply};
use crate::registry::{image, quick, serve};
use crate::support::listing;

/// `ann:open sesame` as an `Authorization` header.
const BASIC: &str = "Basic YW5uOm9wZW4gc2VzYW1l";

fn password() -> Login {
    Login::Password {
        username: "ann".to_owned(),
        password: Secret::new("open sesame"),
    }
}

/// Options with a login for the registry on `port`.
fn with_login(port: u16, login: Login) -> Options {
    let registry = format!("127.0.0.1:{port}").parse().unwrap();
    Options {
        credentials: Credentials::default().with(registry, login),
        ..quick()
    }
}

/// A registry that lets only those in who show `wanted`, and asks for it with `challenge`; blobs are in a
/// storage of their own.
fn guarded(challenge: &'static str, wanted: &'static str) -> (Server, Server) {
    let storage = Server::start(|request| {
        let hex = request.target.rsplit('/').next().unwrap_or_default();
        let image = image();
        let blob = image.blobs.iter().find(|(name, _)| name == hex);
        blob.map_or_else(|| reply(404, b""), |(_, bytes)| reply(200, bytes))
    });
    let storage_port = storage.port;
    let server = Server::start(move |request| {
        if request.target.starts_with("/token") {
            return token(request);
        }
        if request.authorization.as_deref() != Some(wanted) {
            let challenge = challenge.replace("HOST", &request.host);
            return reply(401, b"{}").header("WWW-Authenticate", challenge);
        }
        match request.target.rsplit_once("sha256:") {
            Some((_, hex)) if request.target.contains("/blobs/") => {
                let location = format!("http://127.0.0.1:{storage_port}/data/{hex}");
                reply(307, b"").header("Location", location)
            }
            _ => serve(&image(), request),
        }
    });
    (server, storage)
}

/// A token for those who prove to be ann.
fn token(request: &Request) -> crate::fake::Reply {
    let form = "service=fake&scope=repository:team/app:pull&grant_type=refresh_token\
                &client_id=seareeve&refresh_token=long.lived";
    match (request.method.as_str(), request.authorization.as_deref()) {
        ("GET", Some(BASIC)) => reply(200, br#"{"token":"for.ann"}"#),
        ("POST", None) if request.body == form => reply(200, br#"{"access_token":"for.ann"}"#),
        ("GET", None) => reply(200, br#"{"token":"for.anyone"}"#),
        _ => reply(401, br#"{"errors":[]}"#),
    }
}

const BEARER: &str =
    r#"Bearer realm="http://HOST/token",service="fake",scope="repository:team/app:pull""#;

#[test]
fn every_kind_of_login_opens_the_door_it_is_for_and_no_other() {
    for (challenge, wanted, login) in [
        ("Basic realm=\"x\"", BASIC, password()),
        (BEARER, "Bearer for.ann", password()),
        (
            BEARER,
            "Bearer for.ann",
            Login::Identity(Secret::new("long.lived")),
        ),
        (
            BEARER,
            "Bearer as.it.is",
            Login::Bearer(Secret::new("as.it.is")),
        ),
    ] {
        let (server, storage) = guarded(challenge, wanted);
        let options = with_login(server.port, login);
        let contents = server.read_named("team/app:1", options).unwrap();
        assert_eq!(contents.problems, []);
        assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);
        // Nothing is shown before it is asked for, nor to the storage that the registry leads to.
        let seen = server.seen();
        assert_eq!(seen[0].authorization, None);
        assert_eq!(storage.seen().len(), 3);
        assert!(
            storage
                .seen()
                .iter()
                .all(|request| request.authorization.is_none())
        );
        for request in seen
            .iter()
            .filter(|request| !request.target.starts_with("/token"))
        {
            let shown = request.authorization.as_deref();
            assert!(shown.is_none_or(|shown| shown == wanted), "{request:?}");
        }
    }
}

#[test]
fn refusals_say_as_whom_and_why() {
    let (server, _storage) = guarded(BEARER, "Bearer for.bob");
    let port = server.port;
    let said = |login: Option<Login>| {
        let options = login.map_or_else(quick, |login| with_login(port, login));
        server
            .read_named("team/app:1", options)
            .unwrap_err()
            .to_string()
    };
    let rest = "read this image, or has no such image";
    assert_eq!(
        said(None),
        format!("127.0.0.1:{port} does not let anonymous users {rest}")
    );
    assert_eq!(
        said(Some(password())),
        format!("127.0.0.1:{port} does not let the user ann {rest}")
    );
    assert_eq!(
        said(Some(Login::Identity(Secret::new("expired")))),
        format!(
            "127.0.0.1:{port} does not let the holder of our token {rest} (its token server answered our credentials with status 401)"
        )
    );
}

#[test]
fn a_login_is_for_one_registry() {
    let (server, _storage) = guarded("Basic realm=\"x\"", BASIC);
    let options = with_login(server.port.wrapping_add(1), password());
    let read = server.read_named("team/app:1", options);
    assert!(matches!(read, Err(ReadError::Unauthorized { .. })));
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.authorization.is_none())
    );
}

#[test]
fn nothing_is_shown_where_others_can_read_along() {
    // A token server without TLS on the network.
    let realm = r#"Bearer realm="http://192.0.2.1/token",service="fake""#;
    let (server, _storage) = guarded(realm, "Bearer x");
    let read = server.read_named("team/app:1", with_login(server.port, password()));
    assert!(matches!(read, Err(ReadError::Network { .. })), "{read:?}");

    // One that the user lets be without TLS, but not with a password.
    let listener = Server::start(|_| reply(200, br#"{"token":"for.anyone"}"#));
    let port = listener.port;
    let server = Server::start(move |_| {
        let challenge = format!(r#"Bearer realm="http://127.1:{port}/token",service="fake""#);
        reply(401, b"{}").header("WWW-Authenticate", challenge)
    });
    for login in [password(), Login::Identity(Secret::new("long.lived"))] {
        let options = Options {
            plain_http: vec![format!("127.1:{port}")],
            ..with_login(server.port, login)
        };
        let error = server.read_named("team/app:1", options).unwrap_err();
        let said = error.to_string();
        assert!(
            said.ends_with("(credentials are not sent without TLS)"),
            "{said}"
        );
    }
    assert_eq!(listener.seen().len(), 2);
    for request in listener.seen() {
        assert_eq!((request.authorization, request.body), (None, String::new()));
    }

    // A registry without TLS: by this spelling of its address nobody knows that it is this machine.
    for challenge in ["Basic realm=\"x\"", BEARER] {
        let (server, _storage) = guarded(challenge, BASIC);
        let registry = format!("127.1:{}", server.port);
        let options = Options {
            credentials: Credentials::default().with(registry.parse().unwrap(), password()),
            plain_http: vec![registry.clone()],
            ..quick()
        };
        let source =
            seareeve_image::Source::Registry(format!("{registry}/team/app:1").parse().unwrap());
        let error = crate::support::read_all(&source, &options).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{registry} does not let anonymous users read this image, or has no such image (credentials are not sent without TLS)"
            )
        );
        let shown: Vec<String> = server
            .seen()
            .into_iter()
            .filter_map(|r| r.authorization)
            .collect();
        assert!(
            shown.iter().all(|shown| shown == "Bearer for.anyone"),
            "{shown:?}"
        );
    }
}

#[test]
fn secrets_do_not_print() {
    let options = with_login(1, password());
    let printed = format!("{options:?}");
    assert!(printed.contains("ann"));
    assert!(!printed.contains("sesame"), "{printed}");
}

/// A folder that plays a home.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for below in [".docker", "run/containers", "bin"] {
            std::fs::create_dir_all(folder.path().join(below)).unwrap();
        }
        Self { folder }
    }

    fn path(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap()
    }

    fn write(&self, name: &str, content: &serde_json::Value) {
        std::fs::write(self.folder.path().join(name), content.to_string()).unwrap();
    }

    /// A credential program: a shell script.
    fn program(&self, name: &str, script: &str) {
        let path = self
            .folder
            .path()
            .join("bin")
            .join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn environment(&self) -> Environment {
        let home = self.path();
        Environment {
            path: Some(format!("relative:{home}/bin:/usr/bin:/bin")),
            xdg_runtime_dir: Some(home.join("run")),
            home: Some(home),
            ..Environment::default()
        }
    }

    /// What `server` said to the credentials of this home.
    fn read(&self, server: &Server) -> Result<Vec<String>, String> {
        let (credentials, errors) = Credentials::load(&self.environment());
        assert!(errors.is_empty(), "{errors:?}");
        let options = Options {
            credentials,
            ..quick()
        };
        let contents = server.read_named("team/app:1", options);
        contents
            .map(|c| listing(&c.tree))
            .map_err(|error| error.to_string())
    }
}

fn auth(pair: &str) -> serde_json::Value {
    use base64::Engine as _;
    json!({"auth": base64::engine::general_purpose::STANDARD.encode(pair)})
}

#[test]
fn files_are_asked_in_order_and_for_as_much_of_the_name_as_they_know() {
    let (server, _storage) = guarded("Basic realm=\"x\"", BASIC);
    let registry = format!("127.0.0.1:{}", server.port);
    let home = Home::new();
    let right = auth("ann:open sesame");
    let wrong = auth("ann:wrong");
    let docker = |auths: serde_json::Value| {
        home.write(
            ".docker/config.json",
            &json!({"auths": auths, "HttpHeaders": {}}),
        );
    };
    for (auths, opens) in [
        (json!({registry.clone(): right}), true),
        (json!({format!("http://{registry}/v2/"): right}), true),
        (json!({registry.clone(): wrong}), false),
        (
            json!({registry.clone(): wrong, format!("{registry}/team/app"): right}),
            true,
        ),
        (
            json!({registry.clone(): wrong, format!("{registry}/team"): right}),
            true,
        ),
        (json!({format!("{registry}/tea"): right}), false),
        (json!({"ghcr.io": right}), false),
        (json!({registry.clone(): {}}), false),
        (
            json!({registry.clone(): {"username": "ann", "password": "open sesame"}}),
            true,
        ),
    ] {
        docker(auths.clone());
        assert_eq!(home.read(&server).is_ok(), opens, "{auths}");
    }
    // Podman's file of this session goes before Docker's.
    docker(json!({registry.clone(): wrong}));
    home.write(
        "run/containers/auth.json",
        &json!({"auths": {registry.clone(): right}}),
    );
    assert!(home.read(&server).is_ok());
}

#[test]
fn credential_programs_are_asked_by_their_protocol() {
    let (server, _storage) = guarded("Basic realm=\"x\"", BASIC);
    let registry = format!("127.0.0.1:{}", server.port);
    let home = Home::new();
    let config = |value| home.write(".docker/config.json", &value);
    let answer = format!(
        r#"read server; [ "$1 $server" = "get {registry}" ] && echo '{{"ServerURL":"x","Username":"ann","Secret":"open sesame"}}'"#
    );
    home.program("good", &answer);
    home.program(
        "none",
        "echo 'credentials not found in native keychain'; exit 1",
    );
    home.program("bad", "echo 'the vault is locked'; exit 1");
    home.program("odd", "echo nonsense");
    home.program(
        "endless",
        "while echo 0123456789012345678901234567890123456789; do :; done",
    );
    let helper = |name: &str| json!({"credHelpers": {registry.clone(): name}});
    config(helper("good"));
    assert_eq!(home.read(&server).unwrap(), ["a@0=1", "b@1=2"]);
    // For all registries, with the entry that Docker leaves in the file.
    config(json!({"credsStore": "good", "auths": {registry.clone(): {}}}));
    assert!(home.read(&server).is_ok());
    // It knows nothing, but the file does; and the next file.
    config(json!({"credsStore": "none", "auths": {registry.clone(): auth("ann:open sesame")}}));
    assert!(home.read(&server).is_ok());
    config(helper("good"));
    home.write("run/containers/auth.json", &helper("none"));
    assert!(home.read(&server).is_ok());
    std::fs::remove_file(home.path().join("run/containers/auth.json")).unwrap();

    let told = |name: &str| {
        config(helper(name));
        let error = home.read(&server).unwrap_err();
        let (_, note) = error.split_once(" (").unwrap_or((&error, ""));
        note.trim_end_matches(')').to_owned()
    };
    assert_eq!(told("none"), "");
    assert_eq!(told("bad"), "docker-credential-bad failed: exit status: 1");
    assert_eq!(
        told("odd"),
        "docker-credential-odd gave an answer that is none"
    );
    assert_eq!(
        told("endless"),
        "docker-credential-endless gave an answer that is none"
    );
    assert_eq!(told("absent"), "docker-credential-absent is not installed");
    assert_eq!(
        told("../x"),
        "\"../x\" is not the name of a credential program"
    );
}

#[test]
fn no_program_runs_for_what_is_public() {
    let server = Server::start(|request| serve(&image(), request));
    let home = Home::new();
    let marker = home.path().join("ran");
    home.program("mark", &format!("touch {marker}; exit 1"));
    home.write(".docker/config.json", &json!({"credsStore": "mark"}));
    assert!(home.read(&server).is_ok());
    assert!(!Path::exists(marker.as_std_path()));
}

#[test]
fn what_is_wrong_with_a_file_is_said_without_its_secrets() {
    let home = Home::new();
    home.write(
        ".docker/config.json",
        &json!({"credHelpers": {"d.example": 7}, "auths": {
            "a.example": {"auth": "not base64 sesame!"},
            "b.example": auth("sesame without a colon"),
            "": auth("ann:sesame"),
            "c.example": "sesame",
            "good.example": auth("ann:sesame"),
        }}),
    );
    std::fs::write(
        home.path().join("run/containers/auth.json"),
        r#"{"auths": "sesame"}"#,
    )
    .unwrap();
    let (credentials, errors) = Credentials::load(&home.environment());
    let said: Vec<String> = errors
        .iter()
        .map(|error| error.to_string().replace(home.path().as_str(), "~"))
        .collect();
    assert_eq!(
        said,
        [
            "the credentials in ~/run/containers/auth.json are not read: line 1 is not what was expected",
            "the credentials for \"\" in ~/.docker/config.json are not used: it names no registry",
            "the credentials for \"a.example\" in ~/.docker/config.json are not used: its auth is not base64",
            "the credentials for \"b.example\" in ~/.docker/config.json are not used: its auth has no colon between name and password",
            "the credentials for \"c.example\" in ~/.docker/config.json are not used: it has not the form of an entry",
            "the credentials for \"d.example\" in ~/.docker/config.json are not used: it has not the form of an entry",
        ]
    );
    assert!(!format!("{credentials:?}").contains("sesame"));
}
