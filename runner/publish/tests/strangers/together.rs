//! Many at once: who does not answer keeps nobody else waiting.
use crate::common::{FILE, at, knowing, page, passing, status};
use crate::peer::{Peer, Wire};
use std::sync::{Arc, mpsc};

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_keeps_nobody_waiting() {
    const MANY: usize = 50;
    let (sent, is_sent) = mpsc::channel();
    let silent = Peer::start(move |_, wire: &mut dyn Wire| {
        sent.send(()).unwrap();
        wire.until_gone();
    });
    let strangers = Arc::new(knowing(&["127.0.0.1"]));
    let get = |place: String| {
        let strangers = Arc::clone(&strangers);
        tokio::spawn(async move { strangers.get(&at(&place)).await })
    };
    let waiting: Vec<_> = (0..MANY).map(|which| get(format!("{}/{which}", silent.url()))).collect();
    for _ in 0..MANY {
        is_sent.recv().unwrap();
    }
    let (good, bad) = (Peer::saying(page(FILE)), Peer::saying(status("500 Oh")));
    let answered: Vec<_> = (0..MANY)
        .map(|which| (get(format!("{}/{which}", good.url())), get(format!("{}/{which}", bad.url()))))
        .collect();
    for (good, bad) in answered {
        assert_eq!(good.await.unwrap().unwrap().as_deref(), Some(FILE));
        passing(bad.await.unwrap(), "500");
    }
    // Nothing was tried twice.
    assert_eq!((good.asked().len(), bad.asked().len(), silent.asked().len()), (MANY, MANY, MANY));
    for fetch in waiting {
        assert!(!fetch.is_finished());
        fetch.abort();
    }
}
