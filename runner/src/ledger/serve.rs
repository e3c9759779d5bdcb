//! `runner ledger serve`.
use crate::cli::ServeOptions;
use crate::failure::Failure;
use crate::http;
use automl_chain::twin::Keeper;
use automl_ledger::serve::{Access, Guard, PATIENCE, Token, router};
use automl_ledger::{Database, Ledger, Reviewer, TokenLine, tokens};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

/// How often it is looked whether a block's time has come.
const TICK: Duration = Duration::from_millis(200);

/// Serves until SIGTERM or Ctrl-C, and ends when what was asked before is answered.
pub(super) async fn serve(options: &ServeOptions) -> Result<(), Failure> {
    let accounts = options.kubernetes.then(|| reviewer(options).map(Box::new)).transpose()?;
    let tokens = options.place.token_file.as_deref().map(tokens).transpose().map_err(Failure::bad_input)?;
    let access = match (tokens, accounts) {
        (None, None) if options.bind.is_loopback() => Access::Open,
        (None, None) => {
            return Err(Failure::usage(format!(
                "on {} whoever reaches it could write: name a file of tokens with --token-file, or take --kubernetes",
                options.bind
            )));
        }
        (tokens, accounts) => {
            let tokens = tokens.unwrap_or_default().iter().map(token).collect();
            Access::Tokens { tokens, accounts, per_second: options.rate }
        }
    };
    let database = Database::open(&options.place.ledger).await?;
    let (listener, address) = http::listen(SocketAddr::new(options.bind, options.port))?;
    let listen = |kind| signal(kind).map_err(Failure::internal);
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    eprintln!("serving http://{address}/openapi.json");
    let asked_to_end = async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    let guard = guard(&database, &options.subnet).await?;
    let pages = router(database.clone(), access, guard, PATIENCE).map_err(Failure::internal)?;
    let served = http::serve(listener, pages, asked_to_end).await;
    database.close().await;
    served.map_err(Failure::internal)
}

/// Who checks what is signed, and makes blocks while it is served.
async fn guard(database: &Database, subnets: &[u16]) -> Result<Option<Arc<dyn Guard>>, Failure> {
    if subnets.is_empty() {
        return Ok(None);
    }
    let ledger: Arc<dyn Ledger> = Arc::new(database.clone());
    let keeper = Arc::new(Keeper::new(&ledger, subnets).await?);
    let sealing = Arc::clone(&keeper);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = String::new();
        loop {
            ticks.tick().await;
            let problem = sealing.seal().await.err().map(|error| error.to_string()).unwrap_or_default();
            // Once, however long it lasts: requests are told each time.
            if !problem.is_empty() && problem != told {
                eprintln!("no block can be made: {problem}");
            }
            told = problem;
        }
    });
    Ok(Some(keeper))
}

fn token(line: &TokenLine) -> Token {
    line.run.as_ref().map_or_else(|| Token::new(&line.token), |run| Token::of_scope(&line.token, run))
}

/// Who asks the cluster's API server, whose address a pod has in its environment.
fn reviewer(options: &ServeOptions) -> Result<Reviewer, Failure> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| Failure::usage(format!("--kubernetes: no variable {name}; a pod has it")))
    };
    let host = variable("KUBERNETES_SERVICE_HOST")?;
    // An IPv6 address, as it is written before a port.
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = std::env::var("KUBERNETES_SERVICE_PORT").unwrap_or_else(|_| "443".to_owned());
    let reviewer = Reviewer::new(&format!("{host}:{port}"), &options.service_account, options.audience.clone());
    Ok(reviewer.map_err(Failure::bad_input)?.with_operator(options.operator.clone()))
}
