//! `operator`: watches `MinerRuns` and `Validators` and runs them as pods, until it is told to stop.
use std::{process::ExitCode, sync::Arc, time::Duration};

use automl_contract::{exit, metrics};
use automl_operator::{fence::Fence, leader::Leadership, minerrun, pages, settings::Settings, telemetry, validator};
use clap::Parser;
use futures_util::future::join;
use kube::{Client, Config, client::ClientBuilder};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::sleep,
};
use tracing::{error, info};

fn main() -> ExitCode {
    let settings = match Settings::try_parse() {
        Ok(settings) => settings,
        Err(error) => {
            // Nothing sensible is left to do when even the help cannot be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
        }
    };
    telemetry::start(settings.log_format);
    // It waits for others most of its time, and a reconcile computes for a fraction of a millisecond: more threads only cost memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(|error| (exit::BUG, error.into())).and_then(|runtime| runtime.block_on(run(settings)));
    match ended {
        Ok(()) => ExitCode::from(exit::DONE),
        Err((code, error)) => {
            error!("{error:#}");
            ExitCode::from(code)
        }
    }
}

type Ended = Result<(), (u8, anyhow::Error)>;

async fn run(settings: Settings) -> Ended {
    let bug = |error: anyhow::Error| (exit::BUG, error);
    let unreachable = |error: anyhow::Error| (exit::UNREACHABLE, error);
    let stop = stopped_by_signal().map_err(|error| bug(error.into()))?;
    let fence = settings.lease_namespace.as_ref().map_or_else(Fence::default, |_| Fence::of(settings.lease_seconds));
    let client = client(&fence)
        .await
        .map_err(|error| unreachable(error.context("no way to the API server: run in a pod, or set KUBECONFIG")))?;
    let version = client
        .apiserver_version()
        .await
        .map_err(|error| unreachable(anyhow::Error::from(error).context("the API server does not answer")))?;
    info!(version = env!("CARGO_PKG_VERSION"), kubernetes = version.git_version, "operator starts");
    let context = Arc::new(
        minerrun::Context::new(client.clone(), settings.clone(), fence.clone()).map_err(|error| bug(error.into()))?,
    );
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        bug(anyhow::Error::from(error)
            .context(format!("cannot listen on {}; choose another --listen", settings.listen)))
    })?;
    let address = listener.local_addr().map_err(|error| bug(error.into()))?;
    info!(%address, "pages are served");
    let pages = tokio::spawn(pages::serve(listener, Arc::clone(&context), ended(stop.clone())));

    let acted = match &settings.lease_namespace {
        None => act(&context, stop.clone(), std::future::pending()).await,
        Some(namespace) => {
            let identity = std::env::var("HOSTNAME").unwrap_or_else(|_| format!("pid-{}", std::process::id()));
            let mut leadership = Leadership::seek(client, namespace, settings.lease_seconds, &identity, fence)
                .await
                .map_err(|error| unreachable(anyhow::Error::from(error).context("cannot ask for the lease")))?;
            info!(identity, "waits for the lease");
            let gained = tokio::select! { gained = leadership.gained() => gained, () = ended(stop.clone()) => false };
            let acted = if gained { act(&context, stop.clone(), leadership.lost()).await } else { Ok(()) };
            leadership.release().await;
            acted
        }
    };
    // The pages end with the signal; one that lost the lease ends at once and is started anew.
    if acted.is_ok() {
        let _ = pages.await;
    }
    info!("operator ends");
    acted
}

/// Asks the API server as the surroundings say, and writes as the fence allows.
async fn client(fence: &Fence) -> anyhow::Result<Client> {
    Ok(ClientBuilder::try_from(Config::infer().await?)?.with_layer(fence).build())
}

/// How long reconciles that are under way may take after a signal. Less than a pod's grace period, and no loss: whatever they
/// would still have written, the next operator writes.
const GRACE: Duration = Duration::from_secs(10);

/// Reconciles until a signal or until the lease is lost.
async fn act(context: &Arc<minerrun::Context>, stop: watch::Receiver<bool>, lost: impl Future<Output = ()>) -> Ended {
    info!("acts");
    context.gauges.set(&metrics::OPERATOR_LEADER, &[], 1.0);
    tokio::select! {
        _ = join(minerrun::control(context, &stop), validator::control(context, &stop)) => Ok(()),
        // The controller of an idle cluster is now and then not woken by the signal.
        () = async { ended(stop.clone()).await; sleep(GRACE).await } => Ok(()),
        // Another one acts from now on: nothing may be finished first.
        () = lost => Err((exit::BUG, anyhow::anyhow!("the lease is lost; another operator may act now"))),
    }
}

/// Becomes true with SIGTERM or Ctrl-C.
fn stopped_by_signal() -> std::io::Result<watch::Receiver<bool>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (told, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        let _ = told.send(true);
        told.closed().await;
    });
    Ok(stop)
}

async fn ended(mut stop: watch::Receiver<bool>) {
    // An ended channel is an ended process.
    let _ = stop.wait_for(|stop| *stop).await;
}
