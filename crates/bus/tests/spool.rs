//! A spool as its users see it: what was acknowledged is read, in order, whatever happened in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8PathBuf;
use seareeve_bus::{AppendError, Limits, Spool};

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(folder.path().join("lane")).unwrap();
    (folder, path)
}

const SMALL: Limits = Limits {
    most_bytes: 10_000,
    most_payload: 1000,
    segment_bytes: 300,
};

fn payload(number: u64) -> Vec<u8> {
    format!("frame {number:06} {}", "x".repeat(80)).into_bytes()
}

fn files(folder: &Utf8PathBuf) -> Vec<Utf8PathBuf> {
    let mut files: Vec<_> = folder
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn what_was_acknowledged_is_read_in_order_after_a_restart() {
    let (_keep, folder) = folder();
    for start in [0, 10] {
        let spool = Spool::open(&folder, SMALL).unwrap();
        for number in start..start + 10 {
            let at = spool.append(7, i64::try_from(number).unwrap(), payload(number));
            assert_eq!(at.await.unwrap(), number);
        }
    }
    let spool = Spool::open(&folder, SMALL).unwrap();
    let lane = seareeve_bus::Lane::Spool(std::sync::Arc::new(spool));
    let mut reader = lane.reader(5).await.unwrap();
    for number in 5..20 {
        let frame = reader.next().await.unwrap();
        assert_eq!((frame.position, frame.next), (number, number + 1));
        assert_eq!(
            (frame.tag, frame.arrived),
            (7, i64::try_from(number).unwrap())
        );
        assert_eq!(frame.payload, payload(number));
    }
    assert!(files(&folder).len() > 4, "the segments are small");
    for file in files(&folder) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn what_was_cut_off_is_not_read_and_nothing_else_is_lost() {
    let (_keep, folder) = folder();
    let spool = Spool::open(&folder, SMALL).unwrap();
    for number in 0..2 {
        spool.append(0, 0, payload(number)).await.unwrap();
    }
    drop(spool);
    let file = files(&folder).pop().unwrap();
    let whole = std::fs::read(&file).unwrap();
    // Wherever the power went: within a header, within a payload, or with bytes that never were written.
    for cut in [whole.len() - 1, whole.len() / 2 + 3, whole.len() / 2 + 20] {
        let mut torn = whole[..cut].to_vec();
        torn.resize(cut + 40, 0);
        std::fs::write(&file, &torn).unwrap();
        let spool = std::sync::Arc::new(Spool::open(&folder, SMALL).unwrap());
        assert_eq!(spool.append(0, 0, payload(9)).await.unwrap(), 1);
        let lane = seareeve_bus::Lane::Spool(spool);
        let mut reader = lane.reader(0).await.unwrap();
        assert_eq!(reader.next().await.unwrap().payload, payload(0));
        assert_eq!(reader.next().await.unwrap().payload, payload(9));
    }
}

#[tokio::test]
async fn a_full_spool_refuses_until_something_is_done_with() {
    let (_keep, folder) = folder();
    let spool = std::sync::Arc::new(Spool::open(&folder, SMALL).unwrap());
    let mut taken = 0;
    let full = loop {
        match spool.append(0, 0, payload(taken)).await {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full), "{full}");
    assert!(spool.backlog().bytes <= SMALL.most_bytes && taken > 80);
    let large = spool.append(0, 0, vec![0; 2000]).await.unwrap_err();
    assert!(matches!(large, AppendError::TooLarge { .. }), "{large}");
    let lane = seareeve_bus::Lane::Spool(std::sync::Arc::clone(&spool));
    let mut reader = lane.reader(0).await.unwrap();
    for _ in 0..40 {
        reader.next().await.unwrap();
    }
    let before = files(&folder).len();
    reader.done(reader.position()).await.unwrap();
    // The writer deletes when it comes to it.
    while spool.append(0, 0, payload(taken)).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(files(&folder).len() < before);
    for number in 40..=taken {
        assert_eq!(reader.next().await.unwrap().payload, payload(number));
    }
}

#[tokio::test]
async fn many_senders_share_flushes_and_keep_their_order() {
    let (_keep, folder) = folder();
    let limits = Limits {
        segment_bytes: 20_000,
        ..Limits::default()
    };
    let spool = std::sync::Arc::new(Spool::open(&folder, limits).unwrap());
    let senders = (0..16_u8).map(|tag| {
        let spool = std::sync::Arc::clone(&spool);
        tokio::spawn(async move {
            for number in 0..100 {
                spool.append(tag, number, payload(0)).await.unwrap();
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    let lane = seareeve_bus::Lane::Spool(spool);
    let mut reader = lane.reader(0).await.unwrap();
    let mut seen = [0_i64; 16];
    for _ in 0..1600 {
        let frame = reader.next().await.unwrap();
        let next = seen.get_mut(usize::from(frame.tag)).unwrap();
        assert_eq!(frame.arrived, *next);
        *next += 1;
    }
    for sender in senders {
        sender.await.unwrap();
    }
}

#[tokio::test]
async fn a_position_of_a_spool_that_is_gone_does_not_make_the_reader_wait() {
    let (_keep, folder) = folder();
    let spool = std::sync::Arc::new(Spool::open(&folder, SMALL).unwrap());
    let lane = seareeve_bus::Lane::Spool(spool);
    lane.append(1, 2, b"first".to_vec()).await.unwrap();
    let mut reader = lane.reader(4711).await.unwrap();
    assert_eq!(reader.next().await.unwrap().payload, b"first");
}
