//! A proxy between somebody and the API server that has one write go wrong, as networks, servers and machines do.
//!
//! Reads and watches pass. Of the writes, all but those of leases and Events, the n-th meets the fault; those before and after it
//! pass, too.
use crate::error::{TestbedError, Tried};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode, Uri, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    fs,
    future::pending,
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use tokio::{
    runtime,
    sync::{oneshot, watch},
};

type Body = BoxBody<hyper::body::Bytes, hyper::Error>;

/// What goes wrong with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and no answer comes: whoever asked is to be killed.
    Killed,
    /// It is done, and the connection breaks before the answer.
    Lost,
    /// It is not done, and the connection breaks.
    Cut,
    /// It is not done: 409, as if somebody else had been quicker.
    Conflict,
    /// It is not done: 429, with the wish to be asked again in a second.
    TooMany,
    /// It is not done: 500.
    Broken,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 6] =
        [Fault::Killed, Fault::Lost, Fault::Cut, Fault::Conflict, Fault::TooMany, Fault::Broken];

    /// The answer, where there is one although nothing is done.
    fn answer(self) -> Option<Response<Body>> {
        let (code, reason) = match self {
            Fault::Killed | Fault::Lost | Fault::Cut => return None,
            Fault::Conflict => (StatusCode::CONFLICT, "Conflict"),
            Fault::TooMany => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
            Fault::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        };
        let status = json!({
            "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code.as_u16(), "reason": reason,
            "message": "a fault of the test",
        });
        let text = Full::from(status.to_string()).map_err(|never: Infallible| match never {}).boxed();
        let mut answer = Response::new(text);
        *answer.status_mut() = code;
        answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        if self == Fault::TooMany {
            answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        Some(answer)
    }
}

/// The proxy, as long as the value lives.
pub struct FaultProxy {
    kubeconfig: PathBuf,
    state: Arc<State>,
    /// Ends its thread, when dropped.
    _stop: oneshot::Sender<()>,
}

struct State {
    server: String,
    client: Client<HttpsConnector<HttpConnector>, Incoming>,
    /// Which write, from 1, and what becomes of it.
    fault: Option<(usize, Fault)>,
    writes: AtomicUsize,
    struck: AtomicBool,
    /// Nothing passes any more.
    cut: watch::Sender<bool>,
}

impl FaultProxy {
    /// One before the API server of a kubeconfig (JSON, with a token); the write of this number, from 1, meets the fault.
    ///
    /// # Errors
    /// The file is no such kubeconfig, or no port is free.
    pub fn before(kubeconfig: &Path, folder: &Path, fault: Option<(usize, Fault)>) -> Result<Self, TestbedError> {
        let text = fs::read_to_string(kubeconfig).tried("read", kubeconfig)?;
        let wrong = |what: &str| TestbedError::Io {
            what: format!("{} has no {what}", kubeconfig.display()),
            source: io::ErrorKind::InvalidData.into(),
        };
        let mut config: Value = serde_json::from_str(&text).map_err(|_| wrong("JSON"))?;
        let cluster = config.pointer_mut("/clusters/0/cluster").ok_or_else(|| wrong("cluster"))?;
        let server = cluster["server"].as_str().ok_or_else(|| wrong("server"))?.to_owned();
        let authority = PathBuf::from(cluster["certificate-authority"].as_str().ok_or_else(|| wrong("authority"))?);

        let failed = |source| TestbedError::Io { what: "cannot start a proxy".to_owned(), source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        *cluster = json!({ "server": format!("http://{}", listener.local_addr().map_err(failed)?) });
        let path = folder.join("faulty.kubeconfig");
        fs::write(&path, config.to_string()).tried("write", &path)?;

        let client = client(&authority).map_err(failed)?;
        let (writes, struck) = (AtomicUsize::new(0), AtomicBool::new(false));
        let cut = watch::Sender::new(false);
        let state = Arc::new(State { server, client, fault, writes, struck, cut });
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let shared = Arc::clone(&state);
        let run = move || runtime.block_on(serve(listener, shared, stopped));
        thread::Builder::new().name("testbed faults".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { kubeconfig: path, state, _stop: stop })
    }

    /// The kubeconfig that leads through it.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// How many writes have come.
    pub fn writes(&self) -> usize {
        self.state.writes.load(Ordering::SeqCst)
    }

    /// Ends all connections, and lets nothing pass from now on.
    pub fn cut_off(&self) {
        self.state.cut.send_replace(true);
    }

    /// Whether the fault has been met.
    pub fn has_struck(&self) -> bool {
        self.state.struck.load(Ordering::SeqCst)
    }
}

fn client(authority: &Path) -> io::Result<Client<HttpsConnector<HttpConnector>, Incoming>> {
    let certificate = CertificateDer::from_pem_file(authority).map_err(io::Error::other)?;
    let mut roots = RootCertStore::empty();
    roots.add(certificate).map_err(io::Error::other)?;
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

async fn serve(listener: TcpListener, state: Arc<State>, mut stopped: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let connection = tokio::select! {
            _ = &mut stopped => return,
            connection = listener.accept() => connection,
        };
        let Ok((stream, _)) = connection else { continue };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let mut cut = state.cut.subscribe();
            let service = service_fn(|request| pass(Arc::clone(&state), request));
            tokio::select! {
                _ = cut.wait_for(|cut| *cut) => {}
                // A connection that a fault breaks ends with an error; whoever asked sees it.
                _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service) => {}
            }
        });
    }
}

/// An error closes the connection without an answer.
async fn pass(state: Arc<State>, mut request: Request<Incoming>) -> Result<Response<Body>, io::Error> {
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
    let counts = is_write && !["/leases", "/events"].iter().any(|part| request.uri().path().contains(part));
    let number = if counts { state.writes.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
    let fault = state.fault.filter(|(wanted, _)| counts && *wanted == number).map(|(_, fault)| fault);
    let broken = || io::Error::other("a fault of the test");
    if let Some(fault) = fault
        && !matches!(fault, Fault::Killed | Fault::Lost)
    {
        state.struck.store(true, Ordering::SeqCst);
        return fault.answer().ok_or_else(broken);
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let uri: Uri = format!("{}{path}", state.server).parse().map_err(io::Error::other)?;
    request.headers_mut().remove(header::HOST);
    *request.uri_mut() = uri;
    let answer = state.client.request(request).await.map_err(io::Error::other)?;
    if let Some(fault) = fault {
        state.struck.store(true, Ordering::SeqCst);
        return if fault == Fault::Killed { pending().await } else { Err(broken()) };
    }
    Ok(answer.map(BodyExt::boxed))
}
