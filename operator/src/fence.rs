//! What keeps two operators from writing at the same time: nothing is written later than two thirds of the lease's length after it
//! was last renewed.
//!
//! That the lease is lost a task hears of. A process that was stopped for longer than the lease lasts (a frozen machine, a
//! debugger) goes on with whatever it was about to do before that task has its turn. So each write, where it leaves for the API
//! server or the ledger, is held to the time of the last renewal by a clock that goes on while the machine sleeps.
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{
    FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, ready},
};
use hyper::{Method, Request, Response, Uri};
use kube::client::Body;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;
use tower::{BoxError, Layer, Service};

/// The name of the lease.
pub(crate) const LEASE: &str = "automl-operator";
/// Leases are not held to it: they are what it is held to.
const LEASES: &str = "/apis/coordination.k8s.io/";

/// A layer of the client of the API server. Its clones are one fence.
#[derive(Clone, Debug, Default)]
pub struct Fence(Option<Arc<Held>>);

#[derive(Debug)]
struct Held {
    /// How long the lease is held after a renewal.
    lease: Duration,
    /// When the last renewal that succeeded was sent, since the machine started; at first there is none.
    renewed: Mutex<Option<Duration>>,
    /// Given up: to give the lease back is a write of it, too, and renews nothing.
    is_closed: AtomicBool,
}

/// Why a write was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is written: the lease is not held, or was not renewed for {0} s, and another operator may act")]
pub struct Fenced(u64);

impl Fence {
    /// One for a lease of this length. Without a lease, [`Fence::default`] lets all pass.
    pub fn of(seconds: u64) -> Self {
        Self(Some(Arc::new(Held {
            lease: Duration::from_secs(seconds),
            renewed: Mutex::default(),
            is_closed: AtomicBool::new(false),
        })))
    }

    /// Whether may be written.
    pub(crate) fn check(&self) -> Result<(), Fenced> {
        let Some(held) = &self.0 else { return Ok(()) };
        if held.left(held.writable()).is_zero() { Err(held.fenced()) } else { Ok(()) }
    }

    /// Lets nothing pass from now on.
    pub(crate) fn close(&self) {
        if let Some(held) = &self.0 {
            held.is_closed.store(true, Ordering::Relaxed);
        }
    }

    fn renewed(&self, sent: Duration) {
        if let Some(held) = &self.0 {
            *held.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
        }
    }

    /// Waits until another operator may hold the lease.
    pub(crate) async fn expired(&self) {
        match &self.0 {
            None => std::future::pending().await,
            Some(held) => held.after(held.lease).await,
        }
    }

    /// Waits until nothing may be written.
    async fn closed(&self) -> Fenced {
        let Some(held) = &self.0 else { return std::future::pending().await };
        held.after(held.writable()).await;
        held.fenced()
    }
}

impl Held {
    /// How long after a renewal may be written: the last third is for clocks that differ and for what is on its way.
    fn writable(&self) -> Duration {
        self.lease * 2 / 3
    }

    /// What is left of a time that began with the last renewal.
    fn left(&self, time: Duration) -> Duration {
        let renewed = *self.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let renewed = renewed.filter(|_| !self.is_closed.load(Ordering::Relaxed));
        renewed.map_or(Duration::ZERO, |renewed| (renewed + time).saturating_sub(now()))
    }

    /// Waits until nothing is left of it.
    async fn after(&self, time: Duration) {
        loop {
            let left = self.left(time);
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    fn fenced(&self) -> Fenced {
        Fenced(self.writable().as_secs())
    }
}

/// Since the machine started, its sleep included.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::from_secs(now.tv_sec.unsigned_abs()) + Duration::from_nanos(now.tv_nsec.unsigned_abs())
}

/// What a request means to the fence.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// Of no meaning.
    Read,
    /// Where it succeeds the lease is ours for another while.
    Renewal,
    /// Held to it.
    Write,
}

fn meaning(method: &Method, uri: &Uri) -> Meaning {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let is_of_leases = uri.path().starts_with(LEASES);
    match (is_read, is_of_leases) {
        (false, true) if uri.path().ends_with(&format!("/leases/{LEASE}")) => Meaning::Renewal,
        (true, _) | (_, true) => Meaning::Read,
        _ => Meaning::Write,
    }
}

impl<S> Layer<S> for Fence {
    type Service = Behind<S>;

    fn layer(&self, inner: S) -> Behind<S> {
        Behind { fence: self.clone(), inner }
    }
}

/// A client behind the fence.
#[derive(Clone, Debug)]
pub struct Behind<S> {
    fence: Fence,
    inner: S,
}

impl<S, B> Service<Request<Body>> for Behind<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError> + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let fence = self.fence.clone();
        let meaning = meaning(request.method(), request.uri());
        if meaning == Meaning::Write
            && let Err(fenced) = fence.check()
        {
            return ready(Err(fenced.into())).boxed();
        }
        let sent = now();
        let answer = self.inner.call(request).map_err(Into::into);
        match meaning {
            Meaning::Read => answer.boxed(),
            Meaning::Renewal => answer
                .inspect_ok(move |answer| {
                    if answer.status().is_success() {
                        fence.renewed(sent);
                    }
                })
                .boxed(),
            // One that waits for a connection is not sent when there is one again, but too late.
            Meaning::Write => async move {
                tokio::select! { biased; fenced = fence.closed() => Err(fenced.into()), answer = answer => answer }
            }
            .boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_told_from_reads_and_from_renewals() {
        let of = |method, path: &str| meaning(&method, &path.parse().expect("a path"));
        let lease = "/apis/coordination.k8s.io/v1/namespaces/automl-system/leases";
        assert_eq!(of(Method::GET, "/api/v1/pods?watch=true"), Meaning::Read);
        assert_eq!(of(Method::GET, &format!("{lease}/automl-operator")), Meaning::Read);
        assert_eq!(
            of(Method::POST, &format!("{lease}?fieldManager=x")),
            Meaning::Read,
            "it is made, and held by nobody"
        );
        assert_eq!(of(Method::PATCH, &format!("{lease}/automl-operator?fieldManager=x")), Meaning::Renewal);
        assert_eq!(of(Method::PATCH, &format!("{lease}/another")), Meaning::Read);
        assert_eq!(of(Method::PATCH, "/api/v1/namespaces/leases/configmaps/automl-operator"), Meaning::Write);
        assert_eq!(of(Method::POST, "/apis/events.k8s.io/v1/namespaces/x/events"), Meaning::Write);
        assert_eq!(of(Method::DELETE, "/apis/batch/v1/namespaces/x/jobs/y"), Meaning::Write);
    }

    #[test]
    fn two_thirds_of_the_lease_may_be_written() {
        let fence = Fence::of(15);
        assert_eq!(fence.check(), Err(Fenced(10)), "never held");
        let at = |seconds| now().saturating_sub(Duration::from_secs(seconds));
        fence.renewed(at(9));
        assert_eq!(fence.check(), Ok(()));
        fence.renewed(at(11));
        assert_eq!(fence.check(), Err(Fenced(10)));
        fence.renewed(at(0));
        assert_eq!(fence.check(), Ok(()));
        fence.close();
        assert_eq!(fence.check(), Err(Fenced(10)));
        fence.renewed(at(0));
        assert_eq!(fence.check(), Err(Fenced(10)), "the lease was given back just now");
        assert_eq!(Fence::default().check(), Ok(()), "no lease, no fence");
    }
}
