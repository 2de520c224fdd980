//! Container engines: a socket that speaks as Docker's interface is documented.

use camino::Utf8PathBuf;
use seareeve_image::{Contents, Endpoint, EngineImage, Options, Place, ReadError, Source, locate};
use serde_json::json;

use crate::fake::{Server, reply};
use crate::support::Entry::File;
use crate::support::{docker, listing, read_all, tar};

struct Engine {
    folder: tempfile::TempDir,
    server: Server,
}

impl Engine {
    /// An engine that has one image, which it says to have `size` bytes.
    fn with_image(size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::on_socket(&folder.path().join("engine.sock"), move |request| {
            let known = json!({
                "Id": format!("sha256:{}", "1".repeat(64)), "RepoTags": ["app:1", "team/app:2"],
                "Size": size, "Os": "linux", "Architecture": "amd64",
            });
            let layers = [tar(&[File("a", b"1")]), tar(&[File("b", b"2")])];
            match request.target.as_str() {
                "/images/app:1/json" => reply(200, known.to_string().as_bytes()),
                "/images/app:1/get" => reply(200, &docker(&layers)),
                "/images/broken:1/json" => reply(500, br#"{"message":"the disk is gone"}"#),
                _ => reply(404, br#"{"message":"No such image"}"#),
            }
        });
        Self { folder, server }
    }

    fn endpoint(&self) -> Endpoint {
        let path = self.folder.path().join("engine.sock");
        Endpoint::Unix(Utf8PathBuf::from_path_buf(path).unwrap())
    }

    fn read(&self, name: &str) -> Result<Contents, ReadError> {
        let image = EngineImage {
            endpoint: self.endpoint(),
            name: name.to_owned(),
        };
        let options = Options {
            temporary: Utf8PathBuf::from_path_buf(self.folder.path().to_owned()).unwrap(),
            ..Options::default()
        };
        read_all(&Source::Engine(image), &options)
    }
}

#[test]
fn an_engine_hands_out_its_image_and_nothing_stays() {
    let engine = Engine::with_image(1 << 20);
    let contents = engine.read("app:1").unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), ["a@0=1", "b@1=2"]);
    assert_eq!(
        contents.image.references,
        ["app:1", "team/app:2", "test/app:1"]
    );
    assert_eq!(
        engine.server.targets(),
        ["/images/app:1/json", "/images/app:1/get"]
    );
    // The socket itself.
    assert_eq!(std::fs::read_dir(engine.folder.path()).unwrap().count(), 1);
}

#[test]
fn an_engine_may_listen_on_a_port() {
    let server = Server::start(|request| match request.target.as_str() {
        "/images/app/json" => reply(200, br#"{"Size":1}"#),
        "/images/app/get" => reply(200, &docker(&[tar(&[File("a", b"1")])])),
        _ => reply(404, b""),
    });
    let endpoint = format!("tcp://127.0.0.1:{}", server.port);
    let image = EngineImage {
        endpoint: endpoint.parse().unwrap(),
        name: "app".to_owned(),
    };
    let contents = read_all(&Source::Engine(image), &Options::default()).unwrap();
    assert_eq!(contents.problems, []);
    assert_eq!(listing(&contents.tree), ["a@0=1"]);
}

#[test]
fn what_an_engine_cannot_give_is_said() {
    let engine = Engine::with_image(1 << 62);
    let endpoint = engine.endpoint();
    match engine.read("app:1") {
        Err(ReadError::NoRoom { needed, free, .. }) => assert!(needed == 1 << 62 && free < needed),
        other => panic!("{other:?}"),
    }
    // Nothing was fetched that there is no room for.
    assert_eq!(engine.server.targets(), ["/images/app:1/json"]);
    let said = |name: &str| engine.read(name).unwrap_err().to_string();
    assert_eq!(
        said("other:1"),
        format!("the engine at {endpoint} has no image other:1")
    );
    assert_eq!(
        said("broken:1"),
        format!(
            "failed to ask the engine at {endpoint} for broken:1: status 500: the disk is gone"
        )
    );
    assert_eq!(
        said("app:1/../../containers"),
        format!(
            "failed to ask the engine at {endpoint} for app:1/../../containers: it is neither a reference nor an id"
        )
    );
}

#[test]
fn a_name_is_looked_for_in_engines_and_then_in_its_registry() {
    let engine = Engine::with_image(1);
    let silent = tempfile::tempdir().unwrap();
    // A socket that nobody listens on any more.
    let dead = silent.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    let dead = Endpoint::Unix(Utf8PathBuf::from_path_buf(dead).unwrap());
    let absent = Endpoint::Unix("/nonexistent/engine.sock".into());
    let engines = [absent.clone(), dead.clone(), engine.endpoint()];
    let both = [Place::Engines, Place::Registry];
    let options = Options::default();

    let here = locate("app:1", &both, &engines, &options).unwrap();
    assert!(matches!(here.source, Source::Engine(image) if image.endpoint == engine.endpoint()));
    // The dead one is worth a word; the absent one is not there.
    assert_eq!(here.unasked.len(), 1);
    assert!(here.unasked[0].contains("dead.sock"), "{:?}", here.unasked);

    let registry = |name: &str| Source::Registry(name.parse().unwrap());
    let there = locate("other:1", &both, &engines, &options).unwrap();
    assert_eq!(there.source, registry("other:1"));
    let only = locate("app:1", &[Place::Registry], &engines, &options).unwrap();
    assert_eq!(only.source, registry("app:1"));
    let foreign = Options {
        platform: Some("linux/s390x".parse().unwrap()),
        ..Options::default()
    };
    let there = locate("app:1", &both, &engines, &foreign).unwrap();
    assert_eq!(there.source, registry("app:1"));

    let alone = [Place::Engines];
    let error = |engines: &[Endpoint]| locate("other:1", &alone, engines, &options).unwrap_err();
    assert!(matches!(
        error(&[engine.endpoint()]),
        ReadError::NotInEngine { .. }
    ));
    assert_eq!(
        error(&[absent]).to_string(),
        "no engine can be asked for other:1: none listens"
    );
    assert!(matches!(error(&[dead]), ReadError::NoEngine { .. }));
}

#[test]
fn variables_name_engines_or_the_usual_places_do() {
    let environment = seareeve_image::Environment {
        home: Some("/home/ann".into()),
        xdg_runtime_dir: Some("/run/user/1000".into()),
        ..Default::default()
    };
    let shown = |environment: &seareeve_image::Environment| -> Vec<String> {
        let engines = environment.engines().unwrap();
        engines.iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        shown(&environment),
        [
            "unix:///var/run/docker.sock",
            "unix:///run/user/1000/docker.sock",
            "unix:///home/ann/.docker/run/docker.sock",
            "unix:///home/ann/.docker/desktop/docker.sock",
            "unix:///run/user/1000/podman/podman.sock",
            "unix:///run/podman/podman.sock",
        ]
    );
    let named = seareeve_image::Environment {
        docker_host: Some("tcp://docker:2375".into()),
        ..environment
    };
    assert_eq!(shown(&named), ["tcp://docker:2375"]);
}

#[test]
fn an_engine_that_says_nothing_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    let _server = Server::on_socket(&path, |_| {
        loop {
            std::thread::park();
        }
    });
    let silent = Endpoint::Unix(Utf8PathBuf::from_path_buf(path).unwrap());
    let options = Options {
        read_timeout: std::time::Duration::from_millis(50),
        ..Options::default()
    };
    let places = [Place::Engines, Place::Registry];
    let there = locate("app:1", &places, &[silent], &options).unwrap();
    assert_eq!(there.source, Source::Registry("app:1".parse().unwrap()));
    assert_eq!(there.unasked.len(), 1);
}

#[test]
fn an_image_for_another_variant_is_not_the_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("engine.sock");
    let known = br#"{"Os":"linux","Architecture":"arm","Variant":"v7"}"#;
    let _server = Server::on_socket(&path, |_| reply(200, known));
    let engine = Endpoint::Unix(Utf8PathBuf::from_path_buf(path).unwrap());
    for (platform, is_here) in [
        ("linux/arm", true),
        ("linux/arm/v7", true),
        ("linux/arm/v6", false),
    ] {
        let options = Options {
            platform: Some(platform.parse().unwrap()),
            ..Options::default()
        };
        let places = [Place::Engines, Place::Registry];
        let found = locate("app:1", &places, std::slice::from_ref(&engine), &options).unwrap();
        let is_engine = matches!(found.source, Source::Engine(_));
        assert_eq!(is_engine, is_here, "{platform}");
    }
}
