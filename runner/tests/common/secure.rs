//! A server that keeps what is PUT to it, behind a certificate of an authority that nobody knows; and a proxy that only listens.
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Files by path.
pub(crate) type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server; its thread ends with the test's process.
pub(crate) struct Secure {
    pub(crate) address: SocketAddr,
    /// The authority's certificate, PEM.
    pub(crate) authority: String,
    pub(crate) kept: Kept,
}

impl Secure {
    /// Serves as `localhost`.
    pub(crate) fn start() -> Secure {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = authority.self_signed(&authority_key).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let server = server.signed_by(&key, &Issuer::from_params(&authority, &authority_key)).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = versions.with_no_client_auth().with_single_cert(vec![server.der().clone()], key).unwrap();
        let (config, kept) = (Arc::new(config), Kept::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let files = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // Who does not trust us says so and goes.
                let _ = answer(StreamOwned::new(connection, stream), &files);
            }
        });
        Secure { address, authority: certificate.pem(), kept }
    }
}

/// One request, after which the connection is closed.
fn answer(stream: impl Read + Write, files: &Kept) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let head = head(&mut reader)?;
    let mut words = head[0].split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut files = files.lock().unwrap();
    let (status, body) = match method.as_str() {
        "PUT" => {
            files.insert(path, body);
            ("201 Created", Vec::new())
        }
        _ => files.get(&path).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body.clone())),
    };
    let stream = reader.get_mut();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)?;
    stream.flush()
}

fn head(reader: &mut impl BufRead) -> std::io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" if lines.is_empty() => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            "" => return Ok(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

/// A proxy that passes nothing on: its address, and the first line of what it is asked.
pub(crate) fn proxy() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let Ok(head) = head(&mut reader) else { continue };
            let refused = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = reader.get_mut().write_all(refused.as_bytes());
            if send.send(head[0].clone()).is_err() {
                return;
            }
        }
    });
    (address, asked)
}
