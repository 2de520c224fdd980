//! Fields: Falco's as Falco extracts them, ours as they are described.

use super::*;
use crate::record::Record;

fn values(event: &AuditEvent<'_>, field: &str) -> Option<Vec<String>> {
    let (name, argument) = match field.split_once('[') {
        Some((name, argument)) => (name, argument.strip_suffix(']')),
        None => (field, None),
    };
    let field = AuditSource.field(name, argument).unwrap();
    let mut out = Values::default();
    let presence = extract(event, &field, &mut out);
    (presence == Presence::Present).then(|| {
        let shown = out.as_slice().iter().map(|value| match value {
            seareeve_detect::Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        });
        shown.collect()
    })
}

fn check(event: &str, expected: &[(&str, Option<&[&str]>)]) {
    let record = Record::read(event.as_bytes()).unwrap();
    let event = AuditEvent::new(record);
    for (field, values_expected) in expected {
        let found = values(&event, field);
        let found: Option<Vec<&str>> = found
            .as_ref()
            .map(|found| found.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), *values_expected, "{field}");
    }
}

const POD: &str = r#"{"auditID":"1","stage":"ResponseComplete","verb":"create","requestURI":"/a?x=1&x=2",
 "objectRef":{"resource":"pods","namespace":"n"},"responseStatus":{"code":201},
 "requestObject":{"spec":{"hostNetwork":true,"securityContext":{"runAsUser":7},"containers":[
  {"name":"a","image":"reg:5000/x/y:1@sha256:0","command":["sh","-c"],"args":["a b"],"runAsUser":3,
   "securityContext":{"privileged":true,"capabilities":{"add":["NET_ADMIN"]}},"ports":[{"containerPort":80},{"containerPort":1,"hostPort":2}]},
  {"name":"b","image":"b@sha256:1"}],
  "initContainers":[{"name":"i"}],
  "volumes":[{"name":"v","hostPath":{"path":"/etc"}},{"name":"w","emptyDir":{}}]}},
 "responseObject":{"kind":"Pod","metadata":{"name":"made-up"},"spec":{"containers":[{"name":"a","image":"reg:5000/x/y:1@sha256:0"}]}}}"#;

#[test]
fn falcos_fields_are_extracted_as_falco_does() {
    check(
        POD,
        &[
            ("ka.verb", Some(&["create"])),
            ("ka.uri.param[x]", Some(&["1"])),
            ("ka.uri.param[y]", None),
            ("ka.target.name", None),
            ("ka.target.pod.name", Some(&["made-up"])),
            ("ka.resp.name", Some(&["made-up"])),
            ("ka.response.code", Some(&["201"])),
            ("ka.req.pod.host_network", Some(&["true"])),
            ("ka.req.pod.host_pid", None),
            ("ka.req.pod.containers.privileged", Some(&["true"])),
            ("ka.req.pod.containers.privileged[1]", None),
            ("ka.req.pod.initContainers.privileged", None),
            ("ka.req.pod.ephemeralContainers.privileged", None),
            ("ka.req.pod.containers.image[1]", Some(&["b@sha256:1"])),
            ("ka.req.pod.containers.image[2]", None),
            ("ka.req.pod.initContainers.image", None),
            (
                "ka.req.pod.containers.image.repository",
                Some(&["reg", "b"]),
            ),
            ("ka.req.container.image.repository", Some(&["reg"])),
            ("ka.req.container.privileged", Some(&["true"])),
            ("ka.req.pod.containers.command", Some(&["sh -c"])),
            ("ka.req.pod.containers.args", Some(&["a b"])),
            ("ka.req.pod.containers.host_port", Some(&["80", "2"])),
            (
                "ka.req.pod.containers.add_capabilities",
                Some(&[r#"["NET_ADMIN"]"#]),
            ),
            ("ka.req.pod.containers.run_as_user", None),
            ("ka.req.pod.containers.eff_run_as_user", Some(&["3", "0"])),
            ("ka.req.pod.volumes.hostpath", Some(&["/etc"])),
            ("ka.req.volume.hostpath[/et*]", Some(&["true"])),
            ("ka.req.volume.hostpath[/var*]", Some(&["false"])),
            (
                "ka.req.pod.volumes.volume_type",
                Some(&["hostPath", "emptyDir"]),
            ),
            ("ka.sourceips", None),
            ("jevt.value[/stage]", Some(&["ResponseComplete"])),
            (
                "jevt.value[/requestObject/spec/containers/1/name]",
                Some(&["b"]),
            ),
            (
                "jevt.value[/objectRef]",
                Some(&[r#"{"resource":"pods","namespace":"n"}"#]),
            ),
            (
                "jevt.value[/requestObject/spec/volumes/1]",
                Some(&[r#"{"name":"w","emptyDir":{}}"#]),
            ),
            ("jevt.value[/nothing]", None),
            ("jevt.value[verb]", Some(&["create"])),
            ("json.value[/verb]", Some(&["create"])),
            ("ka.req.pod.initContainers.command", None),
            ("ka.req.binding.subjects.user_names", None),
            ("ka.cluster.name", None),
        ],
    );
    check(
        r#"{"auditID":"1","verb":"create","objectRef":{"resource":"pods","subresource":""},
         "annotations":{"cluster_name":"prod"},"requestObject":{"subjects":[{"kind":"User","name":"eve"},
          {"kind":"Group","name":"dev"},{"kind":"ServiceAccount","namespace":"shop","name":"cart"},{"name":"x"},1],
          "spec":{"containers":[{"command":["sh",1]}],"initContainers":[{"command":"sh"}]}},
         "responseObject":{"metadata":{"name":"p"}}}"#,
        &[
            ("ka.cluster.name", Some(&["prod"])),
            ("ka.target.pod.name", Some(&["p"])),
            ("ka.req.binding.subjects.user_names", Some(&["eve"])),
            ("ka.req.binding.subjects.group_names", Some(&["dev"])),
            (
                "ka.req.binding.subjects.serviceaccount_names",
                Some(&["cart"]),
            ),
            (
                "ka.req.binding.subjects.serviceaccount_ns_names",
                Some(&["shop:cart"]),
            ),
            ("ka.req.pod.containers.command", None),
            ("ka.req.pod.initContainers.command", None),
        ],
    );
}

#[test]
fn our_fields_say_what_happened() {
    check(
        POD,
        &[
            ("kube.judged", Some(&["Bool(true)"])),
            ("kube.ok", Some(&["Bool(true)"])),
            ("kube.resource", Some(&["pods"])),
            ("kube.kind", Some(&["Pod"])),
            ("kube.name", Some(&["made-up"])),
            ("kube.namespace", Some(&["n"])),
            ("kube.scope", Some(&["namespace"])),
            ("kube.now.image.repository", Some(&["reg:5000/x/y"])),
            ("kube.added.image.registry", Some(&["reg:5000"])),
            ("kube.now.image.tag", Some(&["1"])),
            ("kube.now.image.digest", Some(&["sha256:0"])),
            ("kube.now.privileged", None),
            ("kube.user.kind", Some(&["none"])),
        ],
    );
    check(
        r#"{"auditID":"1","stage":"ResponseStarted","verb":"get",
        "user":{"username":"system:serviceaccount:shop:cart","extra":{"k":["v"]}},
        "sourceIPs":["::ffff:10.1.2.3","8.8.8.8","x"],"userAgent":"Kubectl/1 (linux)",
        "requestURI":"/api/v1/namespaces/n/pods/p/exec?command=ls&command=%2Fa%20b&container=c&tty=true",
        "objectRef":{"resource":"pods","namespace":"n","name":"p","subresource":"exec"},"responseStatus":{"code":101}}"#,
        &[
            ("kube.resource", Some(&["pods/exec"])),
            ("kube.command", Some(&["ls /a b"])),
            ("kube.command.container", Some(&["c"])),
            ("kube.command.tty", Some(&["Bool(true)"])),
            ("kube.user.kind", Some(&["service-account"])),
            ("kube.user.namespace", Some(&["shop"])),
            ("kube.user.account", Some(&["cart"])),
            ("kube.user.extra[k]", Some(&["v"])),
            ("kube.agent", Some(&["kubectl"])),
            (
                "kube.source",
                Some(&["Address(10.1.2.3)", "Address(8.8.8.8)"]),
            ),
            ("kube.source.class", Some(&["public"])),
            ("kube.source.peer", Some(&["Address(8.8.8.8)"])),
            ("kube.pod.known", Some(&["Bool(false)"])),
            ("kube.pod.risk", None),
            ("kube.ok", Some(&["Bool(true)"])),
        ],
    );
    check(
        r#"{"auditID":"1","verb":"patch","objectRef":{"resource":"deployments","namespace":"n","name":"d"},
        "responseStatus":{"code":200},"requestObject":[{"op":"add",
        "path":"/spec/template/spec/containers/0/securityContext","value":{"privileged":true}}],
        "responseObject":{"kind":"Deployment","spec":{"template":{"spec":{"hostPID":true,"containers":[
        {"name":"","image":"i","securityContext":{"privileged":true}}]}}}}}"#,
        &[
            ("kube.now.host_namespace", Some(&["pid"])),
            ("kube.added.host_namespace", None),
            ("kube.added.privileged", Some(&[""])),
            ("kube.added.image", None),
        ],
    );
}

#[test]
fn fields_that_are_none_are_named() {
    let wrong = |name, argument| AuditSource.field(name, argument).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            wrong("ka.nothing", None),
            wrong("ka.verb", Some("x")),
            wrong("ka.uri.param", None),
            wrong("jevt.value", Some(&"/x".repeat(65))),
            wrong("ka.req.pod.containers.image", Some("x")),
        ]
        .join("\n"),
        @r#"
    there is no field ka.nothing
    ka.verb takes no argument
    ka.uri.param needs an argument: ka.uri.param[…]
    jevt.value does not take the argument "/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x/x": it leads through more than 64 steps
    ka.req.pod.containers.image does not take the argument "x": it is no position in a list
    "#
    );
}

#[test]
fn names_of_fields_are_there_once() {
    let mut names: Vec<&str> = TABLE.infos.iter().map(|info| info.name.as_ref()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    for info in &TABLE.infos {
        assert!(!info.about.is_empty(), "{}", info.name);
    }
}

#[test]
fn who_is_given_a_role_is_named_as_requests_name_them() {
    check(
        r#"{"auditID":"1","stage":"ResponseComplete","verb":"create","requestURI":"/x",
         "objectRef":{"resource":"clusterrolebindings","name":"b"},"responseStatus":{"code":201},
         "responseObject":{"kind":"ClusterRoleBinding","roleRef":{"kind":"ClusterRole","name":"r"},"subjects":[
          {"kind":"User","name":"eve"},{"kind":"Group","name":"dev"},
          {"kind":"ServiceAccount","namespace":"shop","name":"cart"}]}}"#,
        &[
            (
                "kube.added.subject.user",
                Some(&["eve", "system:serviceaccount:shop:cart"]),
            ),
            ("kube.service_account", None),
            ("kube.dry_run", Some(&["Bool(false)"])),
            ("kube.known", Some(&["Bool(false)"])),
        ],
    );
    check(
        r#"{"auditID":"1","stage":"ResponseComplete","verb":"create","requestURI":"/x",
         "objectRef":{"resource":"serviceaccounts","subresource":"token","namespace":"shop","name":"cart"},
         "responseStatus":{"code":201}}"#,
        &[(
            "kube.service_account",
            Some(&["system:serviceaccount:shop:cart"]),
        )],
    );
}

#[test]
fn a_try_is_told_from_what_only_looks_like_one() {
    for (verb, part, uri, level, body, expected) in [
        ("create", "", "/x?dryRun=All", "Request", "{}", true),
        ("create", "", "/x?dry%52un=All", "Request", "{}", true),
        ("create", "", "/x?dryRun=None", "Request", "{}", false),
        ("patch", "scale", "/x?a=b&dryRun=All", "Request", "{}", true),
        ("get", "exec", "/x?dryRun=All", "Metadata", "null", false),
        ("create", "token", "/x?dryRun=All", "Request", "{}", false),
        ("delete", "", "/x?dryRun=All", "Request", "null", true),
        // The body counts, and here it says nothing of it.
        ("delete", "", "/x?dryRun=All", "Request", "{}", false),
        ("delete", "", "/x", "Request", r#"{"dryRun":["All"]}"#, true),
        // There may be a body that was not logged.
        ("delete", "", "/x?dryRun=All", "Metadata", "null", false),
        (
            "create",
            "eviction",
            "/x",
            "Request",
            r#"{"deleteOptions":{"dryRun":["All"]}}"#,
            true,
        ),
    ] {
        let event = format!(
            r#"{{"auditID":"1","level":"{level}","stage":"ResponseComplete","verb":"{verb}","requestURI":"{uri}",
             "objectRef":{{"resource":"pods","subresource":"{part}","namespace":"n","name":"p"}},
             "requestObject":{body},"responseStatus":{{"code":200}}}}"#
        );
        check(
            &event,
            &[("kube.dry_run", Some(&[&format!("Bool({expected})")]))],
        );
    }
}
