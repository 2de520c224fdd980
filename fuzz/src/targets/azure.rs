//! Azure's login and Resource Manager, when they answer whatever they like: tokens, lists, next pages, refusals.

use std::sync::LazyLock;
use std::time::Duration;

use seareeve_collect::azure::{Azure, Cloud, Credentials, Limits, Secret};

use super::azure_documents::sound;
use crate::server::Server;
use crate::{Target, made};

pub(super) const TARGET: Target = Target {
    name: "azure",
    run,
    longest: 8 << 10,
    seeds: || made::seeds("azure"),
    words: &[
        "\n====\n",
        "200",
        "401",
        "403",
        "404",
        "409",
        "429",
        "\nretry-after: 1",
        "\ntransfer-encoding: chunked",
        "\nlocation: http://@host/",
        "{\"access_token\":\"a\",\"expires_in\":3600}",
        "\"expires_in\":\"3599\"",
        "\"expires_on\":1",
        "\"not_before\":",
        "{\"value\":[",
        "\"nextLink\":\"http://@host/subscriptions?api-version=2022-12-01&$skiptoken=a\"",
        "\"nextLink\":\"https://example.com/\"",
        "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"a\"}}",
        "{\"error\":\"invalid_client\",\"error_description\":\"a\",\"error_codes\":[7000215]}",
        "\"subscriptionId\":\"00000000-0000-0000-0000-000000000001\"",
        "NoRegisteredProviderFound",
    ],
};

static SERVER: LazyLock<Server> = LazyLock::new(Server::on_loopback);

fn run(input: &[u8]) {
    let server = &*SERVER;
    server.set(input);
    let address = format!("http://{}", server.host);
    let cloud = Cloud::custom(&address, &address, Some(&address)).expect("loopback may be asked");
    let principal = Credentials::Secret {
        tenant: "10000000-0000-0000-0000-000000000001".to_owned(),
        client: "10000000-0000-0000-0000-000000000002".to_owned(),
        secret: Secret::new("a"),
    };
    for credentials in [principal, Credentials::Machine { client: None }] {
        let limits = Limits {
            silence: Duration::from_secs(5),
            answer: Duration::from_secs(5),
            total: Duration::from_secs(5),
            attempts: 2,
            answer_bytes: 64 << 10,
            kept_bytes: 64 << 10,
            pages: 8,
            items: 64,
            subscriptions: 4,
            ..Limits::default()
        };
        // Nobody waits.
        let pause = Box::new(|_: Duration| true);
        let azure = Azure::new(&cloud, credentials, limits, None, pause);
        match azure.expect("a client needs no network").read(&[]) {
            Ok(estate) => sound(&estate),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
