//! API and UI over TLS without a proxy: with a certificate that is replaced while the server runs.

use rcgen::{CertificateParams, KeyPair};
use seareeve_server::config::Config;
use serde_json::{Value, json};

use crate::alerts::cluster;
use crate::hosts::{admin, until};
use crate::support::{folder, start};

/// A certificate that signs itself, and its key.
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned(), "localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// A client that trusts this one alone.
fn agent(pem: &str) -> ureq::Agent {
    let trusted = ureq::tls::Certificate::from_pem(pem.as_bytes()).unwrap();
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::new_with_certs(&[trusted]))
        .build();
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(tls)
        // A new connection each time: the certificate of an open one stays.
        .max_idle_connections(0)
        .build()
        .new_agent()
}

#[test]
fn the_ui_and_the_api_are_served_with_a_certificate_that_may_change() {
    let (keep, data) = folder();
    let file = |name: &str| keep.path().join(name).to_str().unwrap().to_owned();
    let (chain, key) = (file("tls.crt"), file("tls.key"));
    let put = |(certificate, secret): &(String, String)| {
        std::fs::write(&chain, certificate).unwrap();
        std::fs::write(&key, secret).unwrap();
    };
    let first = certificate("seareeve.example");
    put(&first);
    let server = start(&data, |config| {
        config.server.certificate = chain.clone().into();
        config.server.key = key.clone().into();
    });
    let (host, port) = server.address.rsplit_once(':').unwrap();
    assert_eq!(
        host, "https://seareeve.example",
        "as the certificate has it"
    );
    assert!(server.link.starts_with("https://seareeve.example:"));
    let address = format!("https://localhost:{port}");

    let ui = agent(&first.0).get(&address).call().unwrap();
    assert_eq!(ui.status(), 200);
    assert!(ui.headers().contains_key("strict-transport-security"));
    let token = server.link.split_once("#token=").unwrap().1;
    let mut answer = agent(&first.0)
        .post(format!("{address}/api/v1/session/link"))
        .header("content-type", "application/json")
        .send(json!({ "token": token }).to_string())
        .unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Secure"), "{cookie}");
    let session: Value = answer.body_mut().read_json().unwrap();
    assert!(session["csrf_token"].is_string());
    let plain = ureq::get(format!("http://localhost:{port}/")).call();
    assert!(plain.is_err(), "nothing is said in the clear");

    // What cannot be used changes nothing.
    let second = certificate("seareeve.example");
    put(&(second.0.clone(), first.1.clone()));
    let is_trusted = |pem: &str| agent(pem).get(format!("{address}/health")).call().is_ok();
    assert!(is_trusted(&first.0) && !is_trusted(&second.0));
    put(&second);
    until(|| is_trusted(&second.0), |is_trusted| *is_trusted);
    assert!(!is_trusted(&first.0));
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let (keep, data) = folder();
    let (chain, _) = certificate("seareeve.example");
    let (_, key) = certificate("seareeve.example");
    let file = |name: &str, text: &str| {
        let path = keep.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(&path, text).unwrap();
        path
    };
    let mut config = Config::default();
    config.server.data_dir = data;
    config.server.certificate = file("tls.crt", &chain).into();
    assert!(config.validate().is_err(), "a key belongs to it");
    config.server.key = file("tls.key", &key).into();
    config.server.listen = "0.0.0.0:0".parse().unwrap();
    config.validate().unwrap();
    let error = seareeve_server::check_certificate(&config).unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("server.certificate") && text.contains("do not belong together"),
        "{text}"
    );
    config.server.key = "/nowhere".into();
    let text = format!(
        "{:#}",
        seareeve_server::check_certificate(&config).unwrap_err()
    );
    assert!(text.contains("/nowhere"), "{text}");
}

#[test]
fn api_servers_are_told_a_name_that_they_can_reach() {
    let (keep, data) = folder();
    let file = |name: &str, text: &str| {
        let path = keep.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(&path, text).unwrap();
        path
    };
    let (certificate, key) = certificate("seareeve.example");
    let (chain, key) = (file("tls.crt", &certificate), file("tls.key", &key));
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let told = |cluster_name: &str, change: &dyn Fn(&mut Config)| {
        let server = start(&data, |config| {
            config.audit.listen = "0.0.0.0:0".to_owned();
            change(config);
        });
        let webhook = cluster(&admin(&server), cluster_name);
        let end = format!("/audit/{cluster_name}");
        let host = webhook.address.strip_suffix(&end).unwrap();
        let (name, port) = host.rsplit_once(':').unwrap();
        assert_ne!(port, "0", "the one that was taken");
        let name = name.to_owned();
        let server = format!("    server: {}\n", webhook.address);
        assert!(
            webhook.kubeconfig.contains(&server),
            "{}",
            webhook.kubeconfig
        );
        (name, webhook.kubeconfig)
    };

    // What is set wins; the machine's own name is still better than that it listens everywhere.
    let named = |config: &mut Config| config.audit.names = vec!["2001:db8::7".to_owned()];
    assert_eq!(told("named", &named).0, "https://[2001:db8::7]");
    let (name, file) = told("unnamed", &|_| {});
    assert_eq!(name, format!("https://{}", machine.trim()));
    assert!(
        !file.contains('#') && !file.contains("client-key"),
        "{file}"
    );

    // Whom to trust and what to show is said where we cannot know it.
    let (name, file) = told("given", &|config| {
        config.audit.certificate = chain.clone().into();
        config.audit.key = key.clone().into();
        config.audit.client_ca = chain.clone().into();
    });
    assert_eq!(name, "https://seareeve.example");
    for wanted in [
        "`certificate-authority: FILE`",
        "(`audit.client_ca`)",
        "    client-certificate: /etc/kubernetes/seareeve-client.crt\n",
        "    client-key: /etc/kubernetes/seareeve-client.key\n",
    ] {
        assert!(file.contains(wanted), "{wanted} in {file}");
    }
}
