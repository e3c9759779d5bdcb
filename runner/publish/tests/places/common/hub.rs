//! A stand-in for the Hugging Face Hub, as far as model repositories with small files go.
//!
//! ```text
//! POST /api/repos/create                                    POST /api/validate-yaml
//! GET  /api/models/OWNER/NAME[/revision/REVISION]           POST /api/models/OWNER/NAME/preupload/REVISION
//! GET  /api/models/OWNER/NAME/tree/REVISION[/FOLDER]        POST /api/models/OWNER/NAME/commit/REVISION
//! GET, HEAD /OWNER/NAME/resolve/REVISION/PATH ──▶ GET, HEAD /api/resolve-cache/models/OWNER/NAME/COMMIT/PATH
//! ```
//!
//! Large files (LFS, Xet), branches, pull requests, and whatever else the Hub has, it has not. The arrow is a redirect on
//! the same host, as the Hub answers for small files: who asks there has to show the token again.
mod answer;
mod repository;

use super::server::{Address, Server, locked};
use answer::{COMMIT, Refusal};
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use repository::{Commit, Repository};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

/// The Hub's has 1000 entries. With fewer, a client that does not turn pages is found out.
pub(crate) const PAGE: usize = 10;
/// When everything was made: tests do not depend on time.
const THEN: &str = "2026-01-01T00:00:00.000Z";

/// Ends, with all that is in it, when it is dropped.
pub(crate) struct Hub {
    pub(crate) server: Server,
    held: Arc<Held>,
}

/// What it keeps.
struct Held {
    /// Who has which token.
    tokens: HashMap<String, String>,
    repositories: Mutex<BTreeMap<String, Repository>>,
}

type Shared = State<Arc<Held>>;
type Place = Path<(String, String, String)>;

impl Hub {
    /// An empty one, where each token is of a user.
    pub(crate) fn start(tokens: &[(&str, &str)]) -> Self {
        let tokens = tokens.iter().map(|(token, user)| ((*token).to_owned(), (*user).to_owned())).collect();
        let held = Arc::new(Held { tokens, repositories: Mutex::default() });
        let router = Router::new()
            .route("/api/repos/create", post(create))
            .route("/api/validate-yaml", post(async || Json(json!({ "errors": [], "warnings": [] }))))
            .route("/api/models/{owner}/{name}", get(newest))
            .route("/api/models/{owner}/{name}/revision/{revision}", get(information))
            .route("/api/models/{owner}/{name}/tree/{revision}", get(tree))
            .route("/api/models/{owner}/{name}/tree/{revision}/{*folder}", get(tree))
            .route("/api/models/{owner}/{name}/preupload/{revision}", post(preupload))
            .route("/api/models/{owner}/{name}/commit/{revision}", post(commit))
            .route("/{owner}/{name}/resolve/{revision}/{*path}", get(resolve))
            .route("/api/resolve-cache/models/{owner}/{name}/{revision}/{*path}", get(cached))
            .fallback(async || {
                Refusal::new(StatusCode::NOT_FOUND, "Sorry, we can't find the page you are looking for.")
            })
            .layer(DefaultBodyLimit::disable()) // the server has one
            .with_state(Arc::clone(&held));
        Self { server: Server::start(router), held }
    }

    /// Makes a repository, as its owner could.
    pub(crate) fn create(&self, repository: &str, private: bool) {
        locked(&self.held.repositories).insert(repository.to_owned(), Repository::new(private));
    }

    /// The commits of a repository, the oldest first, each as its id and its title; none where there is no repository.
    pub(crate) fn commits(&self, repository: &str) -> Vec<(String, String)> {
        let repositories = locked(&self.held.repositories);
        let commits = repositories.get(repository).map_or(&[][..], Repository::commits);
        commits.iter().map(|commit| (commit.id.clone(), commit.title.clone())).collect()
    }

    /// What a file holds at a revision, if it is there.
    pub(crate) fn file(&self, repository: &str, revision: &str, path: &str) -> Option<Vec<u8>> {
        let repositories = locked(&self.held.repositories);
        Some(repositories.get(repository)?.at(revision)?.files.get(path)?.content.clone())
    }
}

impl Held {
    /// Who asks. A token that nobody has is refused even where none is needed.
    fn user(&self, headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
        let Some(given) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        token
            .and_then(|token| self.tokens.get(token))
            .map(|user| Some(user.as_str()))
            .ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "Invalid credentials in Authorization header"))
    }

    /// Does something with a commit that whoever asks may read.
    fn read<T>(
        &self,
        headers: &HeaderMap,
        (owner, name, revision): (&str, &str, &str),
        work: impl FnOnce(&Repository, &Commit) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let user = self.user(headers)?;
        let repositories = locked(&self.repositories);
        let repository = repositories.get(&format!("{owner}/{name}"));
        let visible = repository.filter(|repository| !repository.private || user == Some(owner));
        let missing = || if user.is_none() { Refusal::of_nobody() } else { Refusal::no_repository() };
        let repository = visible.ok_or_else(missing)?;
        work(repository, repository.at(revision).ok_or_else(|| Refusal::no_revision(revision))?)
    }

    /// Whether whoever asks may write to a repository.
    fn may_write(&self, headers: &HeaderMap, (owner, name, revision): (&str, &str, &str)) -> Result<(), Refusal> {
        self.read(headers, (owner, name, revision), |_, _| Ok(()))?;
        match self.user(headers)? {
            None => Err(Refusal::of_nobody()),
            Some(user) if user == owner => Ok(()),
            Some(_) => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request",
            )),
        }
    }
}

#[derive(Deserialize)]
struct Create {
    name: String,
    organization: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    visibility: Option<String>,
    private: Option<bool>,
}

async fn create(
    State(held): Shared,
    Extension(Address(url)): Extension<Address>,
    headers: HeaderMap,
    Json(wanted): Json<Create>,
) -> Result<Response, Refusal> {
    let user = held.user(&headers)?.ok_or_else(Refusal::of_nobody)?;
    let owner = wanted.organization.as_deref().unwrap_or(user);
    if owner != user {
        let message = "You don't have the rights to create a model under this namespace";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    if wanted.kind.is_some_and(|kind| kind != "model") || wanted.name.is_empty() || wanted.name.contains('/') {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "only models are held here, each with a name"));
    }
    let name = format!("{owner}/{}", wanted.name);
    let mut answer = json!({ "url": format!("{url}/{name}"), "name": name, "type": "model" });
    let mut repositories = locked(&held.repositories);
    if repositories.contains_key(&name) {
        answer["error"] = "You already created this model repo".into();
        return Ok((StatusCode::CONFLICT, Json(answer)).into_response());
    }
    let private = wanted.private.unwrap_or(wanted.visibility.as_deref() == Some("private"));
    repositories.insert(name, Repository::new(private));
    Ok(Json(answer).into_response())
}

async fn newest(
    state: Shared,
    headers: HeaderMap,
    query: Query<HashMap<String, String>>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    information(state, headers, query, Path((owner, name, "main".to_owned()))).await
}

async fn information(
    State(held): Shared,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
    Path((owner, name, revision)): Place,
) -> Result<Json<Value>, Refusal> {
    held.read(&headers, (&owner, &name, &revision), |repository, commit| {
        let files = commit.files.iter().map(|(path, file)| {
            if query.contains_key("blobs") {
                json!({ "rfilename": path, "size": file.content.len(), "blobId": file.id })
            } else {
                json!({ "rfilename": path })
            }
        });
        Ok(Json(json!({
            "id": format!("{owner}/{name}"), "modelId": format!("{owner}/{name}"), "author": owner, "sha": commit.id,
            "private": repository.private, "gated": false, "disabled": false, "lastModified": THEN, "createdAt": THEN,
            "tags": [], "downloads": 0, "likes": 0, "siblings": files.collect::<Vec<_>>(),
        })))
    })
}

async fn tree(
    State(held): Shared,
    Extension(Address(url)): Extension<Address>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
    Path(place): Path<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    let folder = place.get("folder").map(|folder| format!("{folder}/")).unwrap_or_default();
    let recursive = query.get("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let begin = query.get("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    held.read(&headers, (&place["owner"], &place["name"], &place["revision"]), |_, commit| {
        let (mut entries, mut folders) = (Vec::new(), BTreeSet::new());
        for (path, file) in commit.files.iter().filter(|(path, _)| path.starts_with(&folder)) {
            let below = path[folder.len()..].match_indices('/').map(|(at, _)| &path[..folder.len() + at]);
            for above in below.take(if recursive { usize::MAX } else { 1 }) {
                if folders.insert(above) {
                    entries.push(json!({ "type": "directory", "path": above, "oid": commit.id, "size": 0 }));
                }
            }
            if recursive || !path[folder.len()..].contains('/') {
                entries.push(json!({ "type": "file", "path": path, "oid": file.id, "size": file.content.len() }));
            }
        }
        if entries.is_empty() && !folder.is_empty() {
            return Err(Refusal::no_entry(&commit.id));
        }
        let end = entries.len().min(PAGE.saturating_add(begin));
        let next = format!("<{url}{}?recursive={recursive}&cursor={end}>; rel=\"next\"", uri.path());
        let link = (end < entries.len()).then_some([(header::LINK, next)]);
        Ok((link, Json(entries.get(begin..end).unwrap_or_default())).into_response())
    })
}

#[derive(Deserialize)]
struct Announced {
    files: Vec<AnnouncedFile>,
}

#[derive(Deserialize)]
struct AnnouncedFile {
    path: String,
    size: u64,
}

async fn preupload(
    State(held): Shared,
    headers: HeaderMap,
    Path((owner, name, revision)): Place,
    Json(announced): Json<Announced>,
) -> Result<Json<Value>, Refusal> {
    held.may_write(&headers, (&owner, &name, &revision))?;
    held.read(&headers, (&owner, &name, &revision), |_, commit| {
        let files = announced.files.iter().map(|AnnouncedFile { path, size }| {
            let mode = if commit.is_regular(path, *size) { "regular" } else { "lfs" };
            let id = commit.files.get(path).map(|file| &file.id);
            json!({ "path": path, "uploadMode": mode, "shouldIgnore": false, "oid": id })
        });
        Ok(Json(json!({ "files": files.collect::<Vec<_>>(), "commitOid": commit.id })))
    })
}

async fn commit(
    State(held): Shared,
    Extension(Address(url)): Extension<Address>,
    headers: HeaderMap,
    Path((owner, name, revision)): Place,
    lines: String,
) -> Result<Json<Value>, Refusal> {
    held.may_write(&headers, (&owner, &name, &revision))?;
    if revision != "main" {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "what is committed to is a branch, and `main` is the only one",
        ));
    }
    let mut repositories = locked(&held.repositories);
    let repository = repositories.get_mut(&format!("{owner}/{name}")).ok_or_else(Refusal::no_repository)?;
    let id = &repository.commit(&lines)?.id;
    let page = format!("{url}/{owner}/{name}/commit/{id}");
    Ok(Json(json!({ "success": true, "commitOid": id, "commitUrl": page, "hookOutput": "" })))
}

async fn resolve(
    State(held): Shared,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Path((owner, name, revision, path)): Path<(String, String, String, String)>,
) -> Result<Response, Refusal> {
    held.read(&headers, (&owner, &name, &revision), |_, commit| {
        if !commit.files.contains_key(&path) {
            return Err(Refusal::no_entry(&commit.id));
        }
        // As it was sent: what was encoded has to stay so.
        let path = uri.path().splitn(6, '/').last().unwrap_or_default();
        let place = format!("/api/resolve-cache/models/{owner}/{name}/{}/{path}", commit.id);
        let told = [(header::LOCATION.as_str(), place), (COMMIT, commit.id.clone())];
        Ok((StatusCode::TEMPORARY_REDIRECT, told).into_response())
    })
}

async fn cached(
    State(held): Shared,
    headers: HeaderMap,
    Path((owner, name, revision, path)): Path<(String, String, String, String)>,
) -> Result<Response, Refusal> {
    held.read(&headers, (&owner, &name, &revision), |_, commit| {
        let file = commit.files.get(&path).ok_or_else(|| Refusal::no_entry(&commit.id))?;
        Ok(answer::file(file, &commit.id, &headers))
    })
}
