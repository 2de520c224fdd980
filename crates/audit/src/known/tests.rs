//! What is remembered, event by event.

use super::*;

struct Cluster(State);

impl Cluster {
    /// Observes an event made of its parts; what `look` sees of it.
    fn see<T>(&mut self, event: &str, look: impl Fn(&AuditEvent<'_>) -> T) -> Option<T> {
        let record = Record::read(event.as_bytes()).unwrap();
        self.0.observe(record).map(|event| look(&event))
    }
}

fn event(id: u32, user: &str, verb: &str, target: &str, bodies: &str) -> String {
    format!(
        r#"{{"auditID":"{id}","stage":"ResponseComplete","verb":"{verb}","requestURI":"/{id}",
        "user":{{"username":"{user}"}},"objectRef":{target},"responseStatus":{{"code":200}},{bodies}
        "stageTimestamp":"2026-01-01T00:00:00Z"}}"#
    )
}

const SPEC: &str = r#"{"hostPID":true,"containers":[{"name":"c","image":"i","securityContext":{"privileged":true}}]}"#;

fn added(event: &AuditEvent<'_>) -> Vec<String> {
    let added = event.added().iter();
    added
        .filter(|(aspect, _)| !matches!(aspect, Aspect::Container))
        .map(|(aspect, what)| format!("{aspect:?} {what}"))
        .collect()
}

#[test]
fn the_same_event_is_seen_once_and_chosen_ids_hide_nothing() {
    let mut cluster = Cluster(State::default());
    let first = event(1, "eve", "get", r#"{"resource":"pods"}"#, "");
    assert_eq!(cluster.see(&first, |_| ()), Some(()));
    assert_eq!(cluster.see(&first, |_| ()), None);
    let other = first.replace("/1", "/other");
    assert_eq!(cluster.see(&other, |_| ()), Some(()));
}

#[test]
fn both_events_of_a_request_and_both_tries_of_a_client_are_judged_once() {
    let mut cluster = Cluster(State::default());
    let exec = |id: u32, verb: &str, stage: &str, second: u32, code: u16| {
        format!(
            r#"{{"auditID":"{id}","stage":"{stage}","verb":"{verb}","requestURI":"/exec?command=id",
            "user":{{"username":"eve"}},"objectRef":{{"resource":"pods","name":"p","subresource":"exec"}},
            "responseStatus":{{"code":{code}}},"requestReceivedTimestamp":"2026-01-01T00:00:{second:02}Z"}}"#
        )
    };
    let mut answered = |id, verb, stage, second, code| {
        let text = exec(id, verb, stage, second, code);
        cluster.see(&text, |event| event.context.is_repeated)
    };
    // Who may only `create` is refused at first.
    assert_eq!(answered(7, "get", "ResponseComplete", 50, 403), Some(false));
    assert_eq!(
        answered(8, "create", "ResponseStarted", 51, 101),
        Some(false)
    );
    let mut repeated = |id, verb, stage, second| answered(id, verb, stage, second, 101);
    assert_eq!(repeated(1, "get", "ResponseStarted", 0), Some(false));
    assert_eq!(repeated(1, "get", "ResponseComplete", 0), Some(true));
    assert_eq!(repeated(2, "create", "ResponseStarted", 1), Some(true));
    assert_eq!(repeated(2, "create", "ResponseComplete", 1), Some(true));
    assert_eq!(repeated(3, "create", "ResponseStarted", 30), Some(false));
    assert_eq!(repeated(4, "get", "ResponseComplete", 31), Some(false));
    // Its beginning was overtaken by its end.
    assert_eq!(repeated(4, "get", "ResponseStarted", 31), Some(true));
}

#[test]
fn what_a_deployment_had_before_comes_back_with_no_old_replica_set() {
    let mut cluster = Cluster(State::default());
    let controller = "system:serviceaccount:kube-system:deployment-controller";
    let plain = r#"{"containers":[{"name":"c","image":"i"}]}"#;
    let deployment = |id: u32, verb: &str, spec: &str| {
        let body = format!(
            r#""responseObject":{{"kind":"Deployment","metadata":{{"name":"d"}},"spec":{{"template":{{"spec":{spec}}}}}}},"#
        );
        let target = r#"{"resource":"deployments","namespace":"n","name":"d"}"#;
        event(id, "eve", verb, target, &body)
    };
    let set = |id: u32, verb: &str, name: &str, spec: &str| {
        let body = format!(
            r#""responseObject":{{"kind":"ReplicaSet","metadata":{{"name":"{name}","ownerReferences":[{{"kind":"Deployment",
            "name":"d","controller":true}}]}},"spec":{{"template":{{"spec":{spec}}}}}}},"#
        );
        let target = format!(r#"{{"resource":"replicasets","namespace":"n","name":"{name}"}}"#);
        event(id, controller, verb, &target, &body)
    };
    let mut added_by = |text: &str| cluster.see(text, added).unwrap();
    added_by(&deployment(1, "create", SPEC));
    assert_eq!(added_by(&set(2, "create", "bad", SPEC)), [""; 0]);
    // Somebody mends it, and what is left of before is scaled down: one that is known, and one that is not.
    assert_eq!(added_by(&deployment(3, "update", plain)), [""; 0]);
    assert_eq!(added_by(&set(4, "update", "bad", SPEC)), [""; 0]);
    assert_eq!(added_by(&set(5, "update", "older", SPEC)), [""; 0]);
    // What is put into one is new.
    added_by(&set(6, "create", "good", plain));
    assert_eq!(
        added_by(&set(7, "update", "good", SPEC)),
        ["HostNamespace pid", "Privileged c"]
    );
}

#[test]
fn a_pod_is_blamed_on_who_changed_its_deployment() {
    let mut cluster = Cluster(State::default());
    let deployment = |extra: &str| {
        format!(
            r#""responseObject":{{"kind":"Deployment","metadata":{{"name":"d"}},"spec":{{"template":{{"spec":{SPEC}}}{extra}}}}},"#
        )
    };
    let owned = |kind: &str, name: &str, owner: &str, owner_name: &str, spec: &str| {
        format!(
            r#""responseObject":{{"kind":"{kind}","metadata":{{"name":"{name}","ownerReferences":[{{"kind":"{owner}",
            "name":"{owner_name}","controller":true}}]}},"spec":{spec}}},"#
        )
    };
    let target = r#"{"resource":"deployments","namespace":"n","name":"d"}"#;
    let made = cluster.see(&event(1, "eve", "create", target, &deployment("")), added);
    assert_eq!(
        made.unwrap(),
        ["HostNamespace pid", "Image i", "Privileged c"]
    );
    let controller = |name: &str| format!("system:serviceaccount:kube-system:{name}");
    let set = owned(
        "ReplicaSet",
        "s",
        "Deployment",
        "d",
        &format!(r#"{{"template":{{"spec":{SPEC}}}}}"#),
    );
    let target = r#"{"resource":"replicasets","namespace":"n"}"#;
    let set = event(
        2,
        &controller("deployment-controller"),
        "create",
        target,
        &set,
    );
    assert_eq!(cluster.see(&set, added).unwrap(), [""; 0]);
    let pod = owned("Pod", "p", "ReplicaSet", "s", SPEC);
    let target = r#"{"resource":"pods","namespace":"n"}"#;
    let pod = event(
        3,
        &controller("replicaset-controller"),
        "create",
        target,
        &pod,
    );
    let (added_to_it, actor, root) = cluster
        .see(&pod, |event| {
            let root = event.context.root.clone();
            (added(event), event.actor().into_owned(), root)
        })
        .unwrap();
    assert_eq!(added_to_it, [""; 0]);
    assert_eq!(actor, "eve");
    assert_eq!(root.as_deref(), Some("Deployment/d"));
    let target = r#"{"resource":"pods","namespace":"n","name":"p","subresource":"exec"}"#;
    let known = cluster.see(&event(4, "bob", "create", target, ""), |event| {
        event.context.object.clone().unwrap()
    });
    let known = known.unwrap();
    assert_eq!(known.about(Aspect::Privileged).collect::<Vec<_>>(), ["c"]);
    assert_eq!(known.actor.as_deref(), Some("eve"));
    // A person cannot hide a pod behind an owner that has what it has.
    let pod = owned("Pod", "q", "ReplicaSet", "s", SPEC);
    let target = r#"{"resource":"pods","namespace":"n"}"#;
    let hidden = cluster.see(&event(5, "eve", "create", target, &pod), added);
    assert_eq!(hidden.unwrap().len(), 3);
}

#[test]
fn only_what_a_change_adds_is_added() {
    let mut cluster = Cluster(State::default());
    let target = r#"{"resource":"daemonsets","namespace":"n","name":"d"}"#;
    let body = |spec: &str, rest: &str| {
        format!(
            r#"{rest}"responseObject":{{"kind":"DaemonSet","metadata":{{"generation":2}},"spec":{{"template":{{"spec":{spec}}}}}}},"#
        )
    };
    // A restart of something that was never seen.
    let restart =
        r#""requestObject":{"spec":{"template":{"metadata":{"annotations":{"a":"b"}}}}},"#;
    let event_1 = event(1, "ops", "patch", target, &body(SPEC, restart));
    assert_eq!(cluster.see(&event_1, added).unwrap(), [""; 0]);
    // Another tag is no other image; a path of the node is new.
    let more = SPEC.replace(r#""i""#, r#""i:2""#).replace(
        "{\"hostPID\"",
        "{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}],\"hostPID\"",
    );
    let event_2 = event(2, "eve", "update", target, &body(&more, ""));
    assert_eq!(cluster.see(&event_2, added).unwrap(), ["HostPath /"]);
}

#[test]
fn what_was_there_before_is_learned_from_states() {
    let mut cluster = Cluster(State::default());
    let target = r#"{"resource":"pods","namespace":"n","name":"p","subresource":"status"}"#;
    let body = format!(r#""responseObject":{{"kind":"Pod","spec":{SPEC}}},"#);
    cluster.see(&event(1, "system:node:a", "patch", target, &body), |_| ());
    let target = r#"{"resource":"pods","namespace":"n","name":"p","subresource":"exec"}"#;
    let known = cluster.see(&event(2, "bob", "create", target, ""), |event| {
        event.context.object.is_some()
    });
    assert_eq!(known, Some(true));
}

#[test]
fn what_is_known_survives_a_restart_and_what_is_no_state_changes_nothing() {
    let mut cluster = Cluster(State::default());
    let target = r#"{"resource":"deployments","namespace":"n","name":"d"}"#;
    let body = format!(
        r#""responseObject":{{"kind":"Deployment","metadata":{{"name":"d"}},"spec":{{"template":{{
        "metadata":{{"labels":{{"app":"d"}}}},"spec":{SPEC}}}}}}},"#
    );
    cluster.see(&event(1, "eve", "create", target, &body), |_| ());
    let pod = r#"{"resource":"pods","namespace":"n","name":"p"}"#;
    let body = format!(
        r#""responseObject":{{"kind":"Pod","metadata":{{"name":"p","ownerReferences":[{{"kind":"Deployment",
        "name":"d","controller":true}}]}},"spec":{SPEC}}},"#
    );
    let by = "system:serviceaccount:kube-system:replicaset-controller";
    cluster.see(&event(2, by, "create", pod, &body), |_| ());
    let saved = cluster.0.save().unwrap();

    let mut again = Cluster(State::default());
    again.0.restore(&saved).unwrap();
    assert_eq!(again.0.objects(), 2);
    assert_eq!(again.0.registries, cluster.0.registries);
    for (key, known) in cluster.0.objects.iter() {
        assert_eq!(again.0.objects.peek(key).as_ref(), Some(known), "{key}");
    }
    let exec = r#"{"resource":"pods","namespace":"n","name":"p","subresource":"exec"}"#;
    let known = again.see(&event(3, "bob", "create", exec, ""), |event| {
        let object = event.context.object.clone().unwrap();
        (
            object.actor.clone(),
            object.about(Aspect::Privileged).count(),
        )
    });
    assert_eq!(known, Some((Some(Arc::from("eve")), 1)));
    // Saved twice it is the same, so that equal states are equal bytes.
    let twice = State::default();
    assert_eq!(twice.save().unwrap(), State::default().save().unwrap());

    let mut truncated = saved.clone();
    truncated.truncate(saved.len() / 2);
    let mut other_version = saved.clone();
    other_version[7] = 9;
    let mut other_program = saved.clone();
    other_program[8] ^= 1;
    for wrong in [
        &b""[..],
        b"SRKN",
        &truncated,
        &other_version,
        &other_program,
    ] {
        assert!(again.0.restore(wrong).is_err());
        assert_eq!(again.0.objects(), 2, "it stays as it was");
    }
}

#[test]
fn damaged_states_do_no_harm() {
    let mut cluster = Cluster(State::default());
    let target = r#"{"resource":"pods","namespace":"n","name":"p"}"#;
    let body =
        format!(r#""responseObject":{{"kind":"Pod","metadata":{{"name":"p"}},"spec":{SPEC}}},"#);
    cluster.see(&event(1, "eve", "create", target, &body), |_| ());
    let saved = cluster.0.save().unwrap();
    for at in 0..saved.len() {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = saved.clone();
            damaged[at] = value;
            // Whatever it says, it ends, and what it gives can be asked.
            let mut state = State::default();
            let _ = state.restore(&damaged);
            let mut cluster = Cluster(state);
            cluster.see(&event(9, "bob", "get", target, ""), |_| ());
        }
    }
}

#[test]
fn what_is_known_of_objects_is_bounded_by_bytes() {
    let mut cluster = Cluster(State::default());
    // Images as long as any that are looked at.
    let images: Vec<String> = (0..16)
        .map(|number| {
            let host = "r".repeat(16_000);
            format!(r#"{{"name":"{number}","image":"{host}{number}.io/x:NUMBER"}}"#)
        })
        .collect();
    let body = format!(
        r#""requestObject":{{"spec":{{"containers":[{}]}}}},"#,
        images.join(",")
    );
    let mut seen = 0;
    for number in 0..110_u32 {
        let body = body.replace("NUMBER", &number.to_string());
        seen += body.len();
        let target = format!(r#"{{"resource":"pods","namespace":"n","name":"p{number}"}}"#);
        cluster.see(&event(number, "eve", "create", &target, &body), |_| ());
        assert!(
            cluster.0.bytes() <= OBJECTS.bytes + (1 << 20),
            "{}",
            cluster.0.bytes()
        );
    }
    assert!(seen > OBJECTS.bytes && cluster.0.objects() > 10, "{seen}");
    // Names that no host has are no registries.
    assert!(cluster.0.registries.is_empty());
}
