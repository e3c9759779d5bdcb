//! The ledger as a service: HTTP in front of a [`Database`], described by `/openapi.json`.
//!
//! Whatever is wrong with a request is said in a problem document (RFC 9457), and nothing of it is stored.
use crate::gauges::{self, Gauges};
use crate::wire::{MOST_BYTES, MOST_ENTRIES, MOST_RECORDS, Malformed, Problem, SentEntry, SentRecord, Which};
use crate::{
    Appended, Database, Digest, Entry, Filter, Kind, Ledger as _, LedgerError, Name, NameError, ReviewError, Reviewer,
    Status,
};
use async_trait::async_trait;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use governor::clock::{Clock as _, DefaultClock, QuantaInstant};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{self, Content, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Who may ask.
pub enum Access {
    /// Whoever reaches it: for an address of one machine.
    Open,
    /// Whoever has one of these bearer tokens, each so many times a second.
    Tokens {
        /// What they show.
        tokens: Vec<Token>,
        /// Who else is let in: service accounts of a cluster. A run's pod writes its run, the operator schedules, all others
        /// read.
        accounts: Option<Box<Reviewer>>,
        /// Requests of each; twice as many may come at once after a pause.
        per_second: NonZeroU32,
    },
}

/// Says which entries of its scopes may be appended: there, what counts is what an entry says and not whose token came with it.
#[async_trait]
pub trait Guard: Send + Sync {
    /// Whether a scope is one of its own.
    fn guards(&self, scope: &str) -> bool;

    /// Whether an entry of such a scope may be appended.
    async fn check(&self, entry: &Entry) -> Result<(), Unfit>;
}

/// Why an entry may not be appended.
pub enum Unfit {
    /// In words.
    Refused(String),
    /// It cannot be found out.
    Ledger(LedgerError),
}

/// How long a request may take, its body's arrival included, where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A token, and what whoever shows it may write.
#[derive(Clone, Debug)]
pub struct Token {
    /// Comparing checksums tells nothing of the token by how long it takes.
    sum: Digest,
    scope: Option<String>,
}

impl Token {
    /// Whoever shows it may write anything.
    pub fn new(token: &str) -> Token {
        Token { sum: Digest::of(token.as_bytes()), scope: None }
    }

    /// Whoever shows it may write in this scope, and in those that begin with it and a dot; and read all.
    pub fn of_scope(token: &str, scope: &str) -> Token {
        Token { scope: Some(scope.to_owned()), ..Token::new(token) }
    }
}

/// What a request may write.
#[derive(Clone, Debug)]
enum MayWrite {
    All,
    Nothing,
    /// This scope, and those that begin with it and a dot.
    Within(String),
    /// How many islands runs shall have.
    Schedules,
}

impl MayWrite {
    fn check<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<(), Refusal> {
        let within = |entry: &&Entry| match self {
            MayWrite::All => true,
            MayWrite::Nothing => false,
            MayWrite::Schedules => entry.name.kind() == Kind::Schedule,
            MayWrite::Within(own) => entry
                .name
                .scope()
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        };
        match entries.into_iter().find(|entry| !within(entry)) {
            Some(other) => Err(Refusal::NotYours { may: self.clone(), name: other.name.clone() }),
            None => Ok(()),
        }
    }
}

impl std::fmt::Display for MayWrite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MayWrite::All => f.write_str("anything"),
            MayWrite::Nothing => f.write_str("nothing"),
            MayWrite::Within(scope) => write!(f, "records of {scope} alone"),
            MayWrite::Schedules => f.write_str("schedules alone"),
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Ledger",
    description = "Append-only records of runs, genes, scores and weights. A name is taken for ever: the same entry again is \
                   no error, another body under its name is a conflict."
))]
struct Described;

/// What any request may be answered.
struct Usual;

impl IntoResponses for Usual {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let answers = [
            ("401", "Without a token that is known"),
            ("408", "Too slow"),
            ("429", "Too many requests"),
            ("503", "The database fails"),
        ];
        let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
        let answer = |(status, description): (&str, &str)| {
            let response = ResponseBuilder::new().description(description).content(PROBLEM, problem()).build();
            (status.to_owned(), RefOr::T(response))
        };
        answers.into_iter().map(answer).collect()
    }
}

struct Served {
    gauges: Arc<Gauges>,
    ledger: Database,
    gate: Option<Gate>,
    guard: Option<Arc<dyn Guard>>,
    patience: Duration,
}

/// Admits those who have a token, not too often.
struct Gate {
    known: Vec<(Token, DefaultDirectRateLimiter)>,
    /// Service accounts of a cluster, each with a rate of its own.
    accounts: Option<(Box<Reviewer>, DefaultKeyedRateLimiter<String>)>,
    /// All others together: guessing takes time, and refusing them none of ours.
    strangers: DefaultDirectRateLimiter,
}

/// The form of a problem document.
const PROBLEM: &str = "application/problem+json";
/// Requests a second of all strangers together.
const STRANGERS: NonZeroU32 = NonZeroU32::new(50).unwrap();

impl Gate {
    fn new(tokens: Vec<Token>, accounts: Option<Box<Reviewer>>, per_second: NonZeroU32) -> Gate {
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_add(per_second.get()));
        let known = tokens.into_iter().map(|token| (token, RateLimiter::direct(quota))).collect();
        let accounts = accounts.map(|reviewer| (reviewer, RateLimiter::keyed(quota)));
        Gate { known, accounts, strangers: RateLimiter::direct(Quota::per_second(STRANGERS)) }
    }

    async fn admit(&self, authorization: Option<&str>) -> Result<MayWrite, Refusal> {
        let shown = authorization.and_then(|header| header.strip_prefix("Bearer "));
        let shown = shown.map(|shown| (shown, Digest::of(shown.as_bytes())));
        if let Some((token, limiter)) =
            self.known.iter().find(|(token, _)| shown.is_some_and(|(_, sum)| sum == token.sum))
        {
            in_time(limiter.check(), limiter.clock())?;
            return Ok(token.scope.clone().map_or(MayWrite::All, MayWrite::Within));
        }
        let Some(((shown, sum), (reviewer, limiters))) = shown.zip(self.accounts.as_ref()) else {
            in_time(self.strangers.check(), self.strangers.clock())?;
            return Err(Refusal::Stranger);
        };
        let mut review = reviewer.remembered(sum);
        if review.is_none() {
            // Guesses reach the API server no faster than strangers may ask.
            in_time(self.strangers.check(), self.strangers.clock())?;
            review = Some(reviewer.review(shown).await.map_err(Refusal::NoReview)?);
        }
        let Some(account) = review.and_then(|review| review.account) else {
            in_time(self.strangers.check(), self.strangers.clock())?;
            return Err(Refusal::Stranger);
        };
        let user = format!("{}/{}/{}", account.namespace, account.name, account.pod.as_deref().unwrap_or_default());
        in_time(limiters.check_key(&user), limiters.clock())?;
        if reviewer.is_operator(&account) {
            return Ok(MayWrite::Schedules);
        }
        Ok(account.scope().map_or(MayWrite::Nothing, MayWrite::Within))
    }
}

fn in_time(checked: Result<(), NotUntil<QuantaInstant>>, clock: &DefaultClock) -> Result<(), Refusal> {
    checked.map_err(|until| Refusal::TooFast(until.wait_time_from(clock.now())))
}

/// The service of this ledger, where no request takes longer than `patience`. What is appended to the scopes of a guard is
/// checked by it, whoever asks.
///
/// # Errors
/// Two metrics of one name, which a test of the contract excludes.
pub fn router(
    ledger: Database,
    access: Access,
    guard: Option<Arc<dyn Guard>>,
    patience: Duration,
) -> prometheus::Result<Router> {
    let gate = match access {
        Access::Open => None,
        Access::Tokens { tokens, accounts, per_second } => Some(Gate::new(tokens, accounts, per_second)),
    };
    let gauges = Arc::new(Gauges::new(ledger.kind())?);
    let served = Arc::new(Served { ledger, gate, guard, patience, gauges: Arc::clone(&gauges) });
    let (records, mut description) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(list, append))
        .routes(routes!(one))
        .routes(routes!(status))
        .split_for_parts();
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    description.components.get_or_insert_default().add_security_scheme("token", scheme);
    let records =
        records.layer(DefaultBodyLimit::max(MOST_BYTES)).layer(from_fn_with_state(Arc::clone(&served), admit));
    let router = Router::new()
        .merge(records)
        .route("/openapi.json", get(move || std::future::ready(Json(description.clone()))))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(|| async { Refusal::NoSuchPage })
        .method_not_allowed_fallback(|| async { Refusal::NoSuchMethod })
        .layer(from_fn_with_state(gauges, gauges::count))
        .with_state(served);
    Ok(router)
}

/// For Prometheus, which has no token: counts and times, and nothing of what is recorded.
async fn metrics(State(served): State<Arc<Served>>) -> Response {
    let records = served.ledger.records().await.ok();
    match served.gauges.text(records) {
        Ok(text) => text.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn readyz(State(served): State<Arc<Served>>) -> Response {
    match served.ledger.list(&Filter::default(), 0, 1).await {
        Ok(_) => "ok\n".into_response(),
        Err(error) => Refusal::Ledger(error).into_response(),
    }
}

/// Lets those in who may ask, for so long.
async fn admit(State(served): State<Arc<Served>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let admitted = match &served.gate {
        Some(gate) => gate.admit(header).await,
        None => Ok(MayWrite::All),
    };
    match admitted {
        Ok(may_write) => {
            request.extensions_mut().insert(may_write);
            let answered = tokio::time::timeout(served.patience, next.run(request)).await;
            answered.unwrap_or_else(|_| Refusal::TooSlow(served.patience).into_response())
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// Records in the order in which they were appended.
#[utoipa::path(
    get,
    path = "/v1/records",
    params(Which),
    security(("token" = [])),
    responses(
        (status = 200, description = "The first of them, fewer where bodies are large; empty where there are no more", body = Vec<SentRecord>),
        (status = 400, description = "Not a query", body = Problem, content_type = "application/problem+json"),
        Usual,
    )
)]
async fn list(State(served): State<Arc<Served>>, Asked(which): Asked<Which>) -> Result<Json<Vec<SentRecord>>, Refusal> {
    let kind = which.kind.as_deref().map(str::parse).transpose()?;
    let filter = Filter { kind, scope: which.scope };
    let records = served.ledger.list(&filter, which.after, which.limit.clamp(1, MOST_RECORDS)).await?;
    Ok(Json(records.iter().map(SentRecord::from).collect()))
}

/// Appends all of the entries, or none. Whoever has the answer can rely on it; without one, ask again: what is there is not
/// stored twice.
#[utoipa::path(
    post,
    path = "/v1/records",
    request_body = Vec<SentEntry>,
    security(("token" = [])),
    responses(
        (status = 200, description = "They are on disk: what became of each, in their order", body = Vec<Appended>),
        (status = 400, description = "Not entries", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token may not write there", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A name is taken by another body", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too large or too many", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not entries, or not what may be in a subnet", body = Problem, content_type = "application/problem+json"),
        Usual,
    )
)]
async fn append(
    State(served): State<Arc<Served>>,
    Extension(may_write): Extension<MayWrite>,
    Sent(entries): Sent<Vec<SentEntry>>,
) -> Result<Json<Vec<Appended>>, Refusal> {
    if entries.len() > MOST_ENTRIES {
        return Err(Refusal::TooMany(entries.len()));
    }
    let entries = entries.into_iter().map(Entry::try_from).collect::<Result<Vec<_>, _>>()?;
    let guarded = |entry: &&Entry| served.guard.as_ref().is_some_and(|guard| guard.guards(entry.name.scope()));
    may_write.check(entries.iter().filter(|entry| !guarded(entry)))?;
    if let Some(guard) = &served.guard {
        for entry in entries.iter().filter(guarded) {
            guard.check(entry).await.map_err(|unfit| match unfit {
                Unfit::Refused(detail) => Refusal::Unfit(detail),
                Unfit::Ledger(error) => Refusal::Ledger(error),
            })?;
        }
    }
    Ok(Json(served.ledger.append(entries).await?))
}

/// The record of a name.
#[utoipa::path(
    get,
    path = "/v1/records/{kind}/{scope}/{key}",
    params(
        ("kind" = String, Path, description = "What it is about"),
        ("scope" = String, Path, description = "The run or subnet it belongs to"),
        ("key" = String, Path, description = "Its name among those of its kind and scope"),
    ),
    security(("token" = [])),
    responses(
        (status = 200, description = "It", body = SentRecord),
        (status = 400, description = "Not a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        Usual,
    )
)]
async fn one(
    State(served): State<Arc<Served>>,
    Named((kind, scope, key)): Named<(String, String, String)>,
) -> Result<Json<SentRecord>, Refusal> {
    let name = Name::new(kind.parse()?, scope, key)?;
    let record = served.ledger.get(&name).await?;
    Ok(Json(SentRecord::from(&record.ok_or(Refusal::NoSuchRecord(name))?)))
}

/// What the ledger holds.
#[utoipa::path(
    get,
    path = "/v1/status",
    security(("token" = [])),
    responses(
        (status = 200, description = "Records, sum and size", body = Status),
        Usual,
    )
)]
async fn status(State(served): State<Arc<Served>>) -> Result<Json<Status>, Refusal> {
    Ok(Json(served.ledger.status().await?))
}

/// A query, or a problem document.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Refusal))]
struct Asked<T>(T);

/// Parts of a path, or a problem document.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(Refusal))]
struct Named<T>(T);

/// A JSON body, or a problem document.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Refusal))]
struct Sent<T>(T);

/// Why a request is refused.
enum Refusal {
    Stranger,
    TooFast(Duration),
    TooSlow(Duration),
    NotYours { may: MayWrite, name: Name },
    NoReview(ReviewError),
    NoSuchPage,
    NoSuchMethod,
    NoSuchRecord(Name),
    NotAName(PathRejection),
    NotAQuery(QueryRejection),
    NotJson(JsonRejection),
    TooMany(usize),
    Unfit(String),
    Malformed(Malformed),
    Ledger(LedgerError),
}

impl Refusal {
    fn problem(self) -> Problem {
        let (status, kind, title, detail, seq) = match self {
            Refusal::Stranger => (
                StatusCode::UNAUTHORIZED,
                "no-token",
                "Who asks is not known",
                "send `Authorization: Bearer TOKEN` with a token of this ledger".to_owned(),
                None,
            ),
            Refusal::TooFast(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too-fast",
                "Too many requests",
                format!("ask again in {} s", seconds(wait)),
                None,
            ),
            Refusal::TooSlow(patience) => (
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                "The request takes too long",
                format!(
                    "a request takes {} s at most; it is not known what became of this one: ask again",
                    patience.as_secs()
                ),
                None,
            ),
            Refusal::NotYours { may, name } => (
                StatusCode::FORBIDDEN,
                "not-yours",
                "The token may not write there",
                format!("this token may write {may}, and not {name}"),
                None,
            ),
            Refusal::NoReview(error) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no-review",
                "It cannot be found out who asks",
                error.to_string(),
                None,
            ),
            Refusal::NoSuchPage => (
                StatusCode::NOT_FOUND,
                "no-such-page",
                "There is no such page",
                "/openapi.json describes those there are".to_owned(),
                None,
            ),
            Refusal::NoSuchMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "no-such-method",
                "That cannot be done to this page",
                "/openapi.json describes what can".to_owned(),
                None,
            ),
            Refusal::NoSuchRecord(name) => (
                StatusCode::NOT_FOUND,
                "no-such-record",
                "There is no such record",
                format!("{name} is not there"),
                None,
            ),
            Refusal::NotAName(error) => (error.status(), "name", "The name cannot be read", error.body_text(), None),
            Refusal::NotAQuery(error) => (error.status(), "query", "The query cannot be read", error.body_text(), None),
            Refusal::NotJson(error) => (error.status(), "body", "The body cannot be read", error.body_text(), None),
            Refusal::TooMany(entries) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-many",
                "Too many entries",
                format!("{entries} entries; a request has {MOST_ENTRIES} at most"),
                None,
            ),
            Refusal::Unfit(detail) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unfit", "The entry may not be there", detail, None)
            }
            Refusal::Malformed(error) => {
                (StatusCode::BAD_REQUEST, "malformed", "That is no record", error.to_string(), None)
            }
            Refusal::Ledger(error) => {
                let detail = error.to_string();
                match error {
                    LedgerError::Conflict { seq, .. } => {
                        (StatusCode::CONFLICT, "conflict", "The name is taken", detail, Some(seq))
                    }
                    LedgerError::TooLarge { .. } => {
                        (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large", detail, None)
                    }
                    LedgerError::Damaged(_) => {
                        (StatusCode::INTERNAL_SERVER_ERROR, "damaged", "The ledger is damaged", detail, None)
                    }
                    _ => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The ledger does not answer", detail, None),
                }
            }
        };
        Problem { kind: kind.to_owned(), title: title.to_owned(), status: status.as_u16(), detail, seq }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let wait = if let Refusal::TooFast(wait) = &self { Some(seconds(*wait)) } else { None };
        let problem = self.problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM)], Json(problem)).into_response();
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, wait.into());
        }
        response
    }
}

/// Whole ones, as `Retry-After` has them: at least one.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

macro_rules! refused_as {
    ($($error:ty => $refusal:path),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Refusal {
                $refusal(error.into())
            }
        }
    )*};
}

refused_as! {
    LedgerError => Refusal::Ledger,
    Malformed => Refusal::Malformed,
    NameError => Refusal::Malformed,
    PathRejection => Refusal::NotAName,
    QueryRejection => Refusal::NotAQuery,
    JsonRejection => Refusal::NotJson
}
