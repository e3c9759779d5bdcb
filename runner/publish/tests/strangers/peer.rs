//! A server that answers whatever bytes a test wants, one request a connection; also a proxy, and over TLS behind it.
//!
//! Its threads end with the test process, or when their client goes.
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A connection, plain or not.
pub(crate) trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

impl dyn Wire + '_ {
    /// Whether the client is still there.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        self.write_all(bytes).and_then(|()| self.flush()).is_ok()
    }

    /// Waits until the client goes.
    pub(crate) fn until_gone(&mut self) {
        while self.read(&mut [0]).is_ok_and(|read| read > 0) {}
    }
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// All of it, as the client meant it.
    pub(crate) url: String,
    /// Its first line and its headers, in small letters.
    pub(crate) head: String,
}

impl Asked {
    /// What is after the host.
    pub(crate) fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |slash| &rest[slash..])
    }
}

type Answer = dyn Fn(&Asked, &mut dyn Wire) + Send + Sync;

/// Listens on a free port of this machine alone.
pub(crate) struct Peer {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Peer {
    /// Answers with bytes.
    pub(crate) fn start(answer: impl Fn(&Asked, &mut dyn Wire) + Send + Sync + 'static) -> Peer {
        Peer::serve(None, Arc::new(answer))
    }

    /// Answers the same to everybody.
    pub(crate) fn saying(answer: impl Into<Vec<u8>>) -> Peer {
        let answer = answer.into();
        Peer::start(move |_, wire| {
            wire.send(&answer);
        })
    }

    /// Is every host that it is asked to connect to, over TLS.
    pub(crate) fn proxy(
        tls: Arc<ServerConfig>,
        answer: impl Fn(&Asked, &mut dyn Wire) + Send + Sync + 'static,
    ) -> Peer {
        Peer::serve(Some(tls), Arc::new(answer))
    }

    fn serve(tls: Option<Arc<ServerConfig>>, answer: Arc<Answer>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tls, log, answer) = (tls.clone(), Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || connection(stream.unwrap(), tls, &log, &*answer));
            }
        });
        Peer { port, asked }
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Its address and port.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked since the last call of this.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn connection(mut stream: TcpStream, tls: Option<Arc<ServerConfig>>, log: &Mutex<Vec<Asked>>, answer: &Answer) {
    let Some(head) = head(&mut stream) else { return };
    let noted = |asked: &Asked| log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let Some(tls) = tls.filter(|_| head.starts_with("connect ")) else {
        let asked = asked(head, "http://");
        noted(&asked);
        return answer(&asked, &mut stream);
    };
    if !(&mut stream as &mut dyn Wire).send(b"HTTP/1.1 200 OK\r\n\r\n") {
        return;
    }
    let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
    let Some(head) = self::head(&mut stream) else { return };
    let asked = asked(head, "https://");
    noted(&asked);
    answer(&asked, &mut stream);
    stream.conn.send_close_notify();
    // A client that is gone does not mind.
    let _ = stream.flush();
}

fn asked(head: String, scheme: &str) -> Asked {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    // A proxy is told all of it.
    let url = if target.contains("://") { target.to_owned() } else { format!("{scheme}{host}{target}") };
    Asked { url, head }
}

fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut next = [0];
        stream.read_exact(&mut next).ok()?;
        head.extend(next);
    }
    Some(String::from_utf8(head).unwrap().to_ascii_lowercase())
}
