//! Where images come from: folders, registries, engines of this machine.

use serde_json::{Value, json};

use crate::support::{APP, Answer, Home, Run, in_registry, serve, serve_socket};

const NOT_FOUND: Answer = ("404 Not Found", "application/json", Vec::new());

#[test]
fn a_folder_is_read_as_the_image_it_holds() {
    let home = Home::new();
    home.image(&APP);
    home.rootfs("root", &APP);
    let findings = |arguments: &[&str]| {
        let run = home.run(&[&["image", "-f", "json"], arguments].concat());
        assert_eq!((run.code, run.err.as_str()), (0, ""));
        let report: Value = serde_json::from_str(&run.out).unwrap();
        let list = report["findings"].as_array().unwrap().iter();
        let said = list.map(|f| (f["id"].clone(), f["package"]["path"].clone()));
        said.collect::<Vec<_>>()
    };
    let found = findings(&["--rootfs", "root"]);
    assert_eq!(found.len(), 2);
    assert_eq!(found, findings(&["--input", "app.tar"]));
    let table = home.run(&["image", "--rootfs", "root"]);
    assert!(
        table.out.starts_with("root · Debian GNU/Linux 12"),
        "{}",
        table.out
    );
    assert_eq!(home.run(&["image", "--rootfs", "app.tar"]).code, 1);
}

#[test]
fn exactly_one_thing_is_scanned() {
    let home = Home::new();
    for arguments in [
        &["image"][..],
        &["image", "app", "--input", "app.tar"],
        &["image", "--rootfs", "/", "--input", "app.tar"],
        &["image", "app", "--image", "app:1"],
        &["image", "app", "--username", "ann"],
        &[
            "image",
            "--input",
            "app.tar",
            "--username",
            "ann",
            "--password-stdin",
        ],
        &["image", "app", "--source", "containerd"],
        &["image", "app", "--scanners", "misconfig"],
    ] {
        let run = home.run(arguments);
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{arguments:?}");
    }
    home.image(&APP);
    assert_eq!(
        home.run(&["image", "app.tar"]).err,
        "error: app.tar is a file: use --input app.tar\n"
    );
}

/// A registry that lets only Ann read.
fn registry() -> String {
    let content = in_registry(&APP);
    serve(Box::new(move |request, head| {
        // "ann:secret"
        if !head.contains("authorization: basic yw5uonnly3jlda==") {
            return (
                "401 Unauthorized\r\nwww-authenticate: Basic realm=\"a\"",
                "text/plain",
                Vec::new(),
            );
        }
        let path = request
            .strip_prefix("GET /v2/team/app/")
            .unwrap_or_default();
        match content.get(path) {
            Some((kind, bytes)) => ("200 OK", kind, bytes.clone()),
            None => NOT_FOUND,
        }
    }))
}

#[test]
fn a_private_registry_is_read_as_somebody() {
    let home = Home::new();
    let name = format!("{}/team/app:1", registry());
    let scan = |more: &[&str], input: &str| {
        let arguments = [&["image", &name, "--source", "registry"], more].concat();
        home.run_with_input(&arguments, input.as_bytes())
    };
    let anonymous = scan(&[], "");
    assert_eq!(anonymous.code, 1);
    assert!(
        anonymous.err.contains("does not let anonymous users read"),
        "{}",
        anonymous.err
    );
    let ann = ["--username", "ann", "--password-stdin"];
    let wrong = scan(&ann, "sesame\n");
    assert_eq!(wrong.code, 1);
    assert!(!wrong.err.contains("sesame"), "{}", wrong.err);
    let run = scan(&ann, "secret\n");
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert!(
        run.out.contains("CVE-2020-14343") && run.out.starts_with(&name),
        "{}",
        run.out
    );
    let nothing = scan(&ann, "\n");
    assert!(
        nothing.err.contains("standard input holds no password"),
        "{}",
        nothing.err
    );

    // What `docker login` wrote serves as well.
    let auths =
        json!({ "auths": { name.split('/').next().unwrap(): { "auth": "YW5uOnNlY3JldA==" } } });
    home.write(".docker/config.json", auths.to_string());
    assert_eq!(scan(&[], "").code, 0);
    home.write(".docker/config.json", "{");
    let broken = scan(&ann, "secret");
    assert_eq!(broken.code, 0, "a broken file is said and passed over");
    assert!(broken.err.contains(".docker/config.json"), "{}", broken.err);
}

#[test]
fn offline_asks_engines_of_this_machine_and_nobody_else() {
    let home = Home::new();
    home.image(&APP);
    let archive = std::fs::read(home.path().join("app.tar")).unwrap();
    let socket = home.path().join("engine.sock");
    serve_socket(
        &socket,
        Box::new(move |request, _| match request {
            "GET /images/app:1/json" => {
                let known = json!({ "RepoTags": ["app:1"], "Size": 10_000, "Os": "linux", "Architecture": "amd64" });
                ("200 OK", "application/json", known.to_string().into_bytes())
            }
            "GET /images/app:1/get" => ("200 OK", "application/x-tar", archive.clone()),
            _ => NOT_FOUND,
        }),
    );
    let asked = |host: &str, arguments: &[&str]| {
        let output = home.command(arguments).env("DOCKER_HOST", host).output();
        Run::from(output.unwrap())
    };
    let host = format!("unix://{}", socket.display());
    let there = asked(&host, &["image", "app:1", "--offline", "--fail-on", "low"]);
    assert_eq!(there.code, 2, "{}", there.err);
    assert_eq!(
        there.err,
        format!("app:1 is read from the engine at {host}\n")
    );

    let absent = asked(&host, &["image", "app:2", "--offline"]);
    assert_eq!(absent.code, 1);
    assert!(
        absent.err.starts_with(
            "error: --offline keeps from asking the registry: save the image and use --input: "
        ),
        "{}",
        absent.err
    );
    // Docker on another machine is on the other side of a network.
    let far = asked("tcp://127.0.0.1:1", &["image", "app:1", "--offline"]);
    assert!(
        far.err.contains("--offline keeps from asking the registry"),
        "{}",
        far.err
    );
    let sent = home.run(&[
        "image",
        "--input",
        "app.tar",
        "--offline",
        "--server",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(
        (sent.code, sent.err.as_str()),
        (
            1,
            "error: --offline keeps from sending the list of packages to http://127.0.0.1:1\n"
        )
    );
    assert_eq!(
        home.run(&["image", "--input", "app.tar", "--offline"]).code,
        0
    );

    // Engines that nobody speaks to are passed over where the registry is left to ask.
    let strange = asked("ssh://somewhere", &["image", "127.0.0.1:1/app"]);
    assert!(
        strange
            .err
            .starts_with("passed over: \"ssh://somewhere\" is no engine"),
        "{}",
        strange.err
    );
    let alone = asked("ssh://somewhere", &["image", "app", "--source", "docker"]);
    assert!(
        alone
            .err
            .starts_with("error: \"ssh://somewhere\" is no engine"),
        "{}",
        alone.err
    );
}

#[test]
fn an_archive_with_several_images_is_asked_for_one() {
    let home = Home::new();
    home.image(&APP);
    let one = home.run(&["image", "--input", "app.tar", "--image", "test/app:1"]);
    assert_eq!((one.code, one.err.as_str()), (0, ""));
    let none = home.run(&["image", "--input", "app.tar", "--image", "test/app:2"]);
    assert_eq!(none.code, 1);
    assert!(
        none.err
            .contains("does not hold test/app:2, only test/app:1"),
        "{}",
        none.err
    );
}

#[test]
fn a_cache_that_cannot_be_kept_is_no_failure() {
    let home = Home::new();
    home.image(&APP);
    home.write("file", "");
    let scan = |more: &[&str]| {
        let output = home
            .command(&[&["image", "--input", "app.tar"], more].concat())
            .env("XDG_CACHE_HOME", home.path().join("file"))
            .output();
        Run::from(output.unwrap())
    };
    let noted = scan(&[]);
    assert_eq!(noted.code, 0);
    assert!(
        noted.err.starts_with("layers are not remembered in "),
        "{}",
        noted.err
    );
    let silent = scan(&["--no-cache"]);
    assert_eq!((silent.out, silent.err.as_str()), (noted.out, ""));
}

#[test]
fn verifying_compares_what_is_otherwise_read_in_place() {
    let home = Home::new();
    home.image(&APP);
    let whole = home.run(&["image", "--input", "app.tar", "--verify"]);
    assert_eq!((whole.code, whole.err.as_str()), (0, ""));
    // A byte in content that no detector looks at.
    let mut bytes = std::fs::read(home.path().join("app.tar")).unwrap();
    let at = bytes
        .windows(9)
        .position(|window| window == b"bookworm)")
        .unwrap();
    bytes[at] = b'B';
    std::fs::write(home.path().join("app.tar"), bytes).unwrap();
    let broken = home.run(&["image", "--input", "app.tar", "--verify", "-f", "json"]);
    assert_eq!(broken.code, 3, "{}", broken.err);
    assert!(broken.out.contains("content_mismatch"), "{}", broken.out);
}
