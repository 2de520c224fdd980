//! Services end when they are told to, also as process 1 of a container, for which the kernel does nothing by itself:
//! so they have to hear the signal, which the code they leave with tells.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Home, serve};

#[test]
fn what_waits_for_its_server_ends_when_it_is_told_to() {
    for (service, signal, code) in [
        ("sensor", Signal::TERM, 0),
        ("sensor", Signal::INT, 130),
        ("admission", Signal::TERM, 0),
    ] {
        let home = Home::new();
        home.write("token", "joining\n");
        let (send, asked) = channel();
        let send = Mutex::new(send);
        let address = serve(Box::new(move |_, _| {
            let _nobody_waits = send.lock().unwrap().send(());
            (
                "503 Service Unavailable",
                "application/json",
                b"{}".to_vec(),
            )
        }));
        let server = format!("http://{address}");
        let arguments = ["--data-dir", "data", service, "--server", &server];
        let mut child = home
            .command(&[&arguments[..], &["--join-file", "token"]].concat())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        asked.recv_timeout(Duration::from_secs(60)).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{service}");
    }
}
