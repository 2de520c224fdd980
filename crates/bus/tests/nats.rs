//! A lane on a real NATS server (Debian's `nats-server`, which `cargo xtask setup` installs).
//!
//! Where there is none the tests say so, and fail under `SEAREEVE_REQUIRE_SHARED=1`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and one that cannot begin says so"
)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use seareeve_bus::jetstream::Nats;
use seareeve_bus::{AppendError, Lane};

/// A server of one's own. Dropping it kills it.
struct Server {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // Whoever takes the port in between makes the test fail, not pass.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        match run(&folder, port) {
            Ok(process) => Some(Self {
                process,
                folder,
                port,
            }),
            Err(error) => {
                let required =
                    std::env::var("SEAREEVE_REQUIRE_SHARED").is_ok_and(|value| value == "1");
                assert!(!required, "nats-server: {error}");
                eprintln!("NOT TESTED with NATS: nats-server: {error}");
                None
            }
        }
    }

    /// As a crash would, and starts it again on what it had stored.
    fn kill_and_restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = run(&self.folder, self.port).unwrap();
    }

    async fn connect(&self, most_bytes: u64) -> Nats {
        let address = format!("nats://127.0.0.1:{}", self.port);
        loop {
            match Nats::connect(&address, most_bytes).await {
                Ok(nats) => return nats,
                // It is still starting; nextest ends a test that waits for ever.
                Err(_not_yet) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    }
}

fn run(folder: &tempfile::TempDir, port: u16) -> std::io::Result<Child> {
    Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-js", "-p", &port.to_string(), "-sd"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn lane(nats: &Nats, name: &str) -> Lane {
    Lane::Stream(std::sync::Arc::new(nats.lane(name).await.unwrap()))
}

/// Bytes that do not compress.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        u8::try_from(state >> 56).unwrap()
    })
    .take(bytes)
    .collect()
}

#[tokio::test]
async fn what_was_stored_is_read_in_order_and_again_until_it_is_done_with() {
    let Some(mut server) = Server::start() else {
        return;
    };
    let nats = server.connect(1 << 30).await;
    let (one, two) = (lane(&nats, "one").await, lane(&nats, "two").await);
    // Larger than a message of NATS may be.
    let large = noise(3 << 20, 1);
    for number in 0..10_i64 {
        one.append(1, number, format!("one {number}").into_bytes())
            .await
            .unwrap();
        two.append(2, number, format!("two {number}").into_bytes())
            .await
            .unwrap();
    }
    one.append(3, 10, large.clone()).await.unwrap();
    // Sent again, since its sender believes that it was lost.
    one.append(3, 11, large.clone()).await.unwrap();
    one.append(1, 12, b"last".to_vec()).await.unwrap();

    let mut reader = one.reader(0).await.unwrap();
    let mut fifth = 0;
    for number in 0..10 {
        let frame = reader.next().await.unwrap();
        assert_eq!((frame.arrived, frame.tag), (number, 1));
        if number == 4 {
            fifth = frame.next;
        }
    }
    reader.done(fifth).await.unwrap();
    drop(reader);
    server.kill_and_restart();

    let nats = server.connect(1 << 30).await;
    let one = lane(&nats, "one").await;
    let mut reader = one.reader(fifth).await.unwrap();
    let mut got = Vec::new();
    while got.last() != Some(&12) {
        let frame = reader.next().await.unwrap();
        got.push(frame.arrived);
        assert!(frame.arrived != 10 || frame.payload == large);
    }
    assert_eq!(got, [5, 6, 7, 8, 9, 10, 12], "the large one came once");
}

#[tokio::test]
async fn a_full_stream_refuses_until_something_is_done_with() {
    let Some(server) = Server::start() else {
        return;
    };
    let nats = server.connect(1 << 20).await;
    let lane = lane(&nats, "one").await;
    let mut taken = 0;
    let full = loop {
        match lane.append(0, 0, noise(100_000, taken)).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full), "{full}");
    assert!(taken > 5);
    let mut reader = lane.reader(0).await.unwrap();
    for number in 0..taken {
        let frame = reader.next().await.unwrap();
        assert!(frame.payload == noise(100_000, number));
        reader.done(frame.next).await.unwrap();
    }
    while lane.append(0, 0, noise(100_000, taken)).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(reader.next().await.unwrap().payload == noise(100_000, taken));
}

#[tokio::test]
async fn a_forgotten_lane_leaves_room_and_nothing_of_others() {
    let Some(server) = Server::start() else {
        return;
    };
    let nats = server.connect(1 << 20).await;
    let (gone, stays) = (lane(&nats, "gone").await, lane(&nats, "stays").await);
    stays.append(0, 1, b"mine".to_vec()).await.unwrap();
    let mut seed = 0;
    while gone.append(0, 0, noise(100_000, seed)).await.is_ok() {
        seed += 1;
    }
    nats.forget("gone").await.unwrap();
    stays.append(0, 2, noise(500_000, seed)).await.unwrap();
    let mut reader = stays.reader(0).await.unwrap();
    for arrived in [1, 2] {
        assert_eq!(reader.next().await.unwrap().arrived, arrived);
    }
    // A cluster of the same name begins with nothing.
    let again = lane(&nats, "gone").await;
    again.append(0, 3, b"new".to_vec()).await.unwrap();
    let mut reader = again.reader(0).await.unwrap();
    assert_eq!(reader.next().await.unwrap().arrived, 3);
    nats.forget("never").await.unwrap();
}
