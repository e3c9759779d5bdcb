//! A PostgreSQL for tests: in a folder of its own, on a socket in it, ended with the last test that uses it.
use super::skip::skip;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{Connection as _, Executor as _};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tempfile::TempDir;

/// Names the folder with PostgreSQL's programs.
const VARIABLE: &str = "AUTOML_POSTGRES";
/// PostgreSQL will not run as root: it runs as this user then, which every Linux has.
const NOBODY: u32 = 65534;

pub(crate) struct Postgres {
    folder: TempDir,
    server: Child,
    databases: AtomicU32,
}

impl Postgres {
    /// The one of the tests that run now. None where there is none, which is said.
    pub(crate) fn shared() -> Option<Arc<Postgres>> {
        static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let Some(programs) = programs() else {
            skip(&format!("no PostgreSQL: install postgresql, or name the folder of its programs in {VARIABLE}"));
            return None;
        };
        let server = Arc::new(Postgres::start(&programs));
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    fn start(programs: &Path) -> Postgres {
        let folder = tempfile::Builder::new().prefix("ledger-postgres-").tempdir().unwrap();
        if geteuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.path().join("data");
        let made = program(programs, "initdb", folder.path())
            .args(["--username", "ledger", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let server = program(programs, "postgres", folder.path())
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "max_connections=200"])
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut started = Postgres { folder, server, databases: AtomicU32::new(0) };
        // It makes the socket's lock file when it listens; the last line of `postmaster.pid` when it serves.
        let state = data.join("postmaster.pid");
        while !std::fs::read_to_string(&state).is_ok_and(|text| text.lines().any(|line| line.trim() == "ready")) {
            let ended = started.server.try_wait().unwrap();
            assert!(ended.is_none(), "{}", std::fs::read_to_string(started.folder.path().join("log")).unwrap());
            std::thread::yield_now();
        }
        started
    }

    /// A new, empty database; its URL.
    pub(crate) async fn database(&self) -> String {
        let name = format!("ledger{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        connection.execute(sqlx::raw_sql(create)).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://ledger@localhost/{database}?host={}", self.folder.path().display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(id) = i32::try_from(self.server.id()).ok().and_then(Pid::from_raw) {
            // Ends at once, its processes with it.
            let _ = kill_process(id, Signal::QUIT);
        }
        let _ = self.server.wait();
    }
}

fn program(programs: &Path, name: &str, folder: &Path) -> Command {
    let path = programs.join(name);
    let mut command = if geteuid().is_root() {
        let mut command = Command::new("setpriv");
        let nobody = NOBODY.to_string();
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    // Programs unpacked into a folder (…/usr/lib/postgresql/15/bin) find their libraries there.
    if let Some(libraries) = programs.ancestors().find(|folder| folder.ends_with("usr/lib"))
        && libraries != Path::new("/usr/lib")
    {
        command.env("LD_LIBRARY_PATH", libraries.join(format!("{}-linux-gnu", std::env::consts::ARCH)));
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// The folder with PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let given = std::env::var_os(VARIABLE).map(PathBuf::from);
    // Debian keeps them out of PATH, by version.
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let installed = installed.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    given
        .into_iter()
        .chain(installed)
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file())
}
