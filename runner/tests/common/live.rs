//! A runner that is at work: its lines as they come, signals to it, its end. Whatever is still alive is killed on drop.
use automl_contract::progress::Progress;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use wait_timeout::ChildExt;

/// How long anything may take before a test gives up: far more than it needs, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process and its two streams.
pub(crate) struct Live {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Live {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Live {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the binary was built for this test");
        let out = lines(child.stdout.take().expect("stdout is a pipe"));
        let err = lines(child.stderr.take().expect("stderr is a pipe"));
        Live { child, out, err }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of progress on standard output; `None` at its end or when another line comes (the results).
    #[track_caller]
    pub(crate) fn progress(&mut self) -> Option<Progress> {
        next(&self.out).and_then(|line| serde_json::from_str(&line).ok())
    }

    /// Reads progress until a line is as wanted. Panics when the process ends before that.
    #[track_caller]
    pub(crate) fn progress_until(&mut self, wanted: impl Fn(&Progress) -> bool) -> Progress {
        while let Some(progress) = self.progress() {
            if wanted(&progress) {
                return progress;
            }
        }
        let errors: Vec<String> = std::iter::from_fn(|| next(&self.err)).collect();
        panic!("the runner's progress ended too early; on stderr: {errors:?}");
    }

    /// Progress that has come by now, without waiting.
    pub(crate) fn progress_so_far(&mut self) -> Vec<Progress> {
        self.out.try_iter().filter_map(|line| serde_json::from_str(&line).ok()).collect()
    }

    /// Reads standard error until a line is as wanted.
    #[track_caller]
    pub(crate) fn error_until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        while let Some(line) = next(&self.err) {
            if wanted(&line) {
                return line;
            }
        }
        panic!("standard error ended without the line that was waited for");
    }

    /// Where it serves its pages, as it says on standard error.
    #[track_caller]
    pub(crate) fn address(&mut self) -> SocketAddr {
        let notice = self.error_until(|line| line.contains("http://"));
        let host = notice.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        host.and_then(|host| host.parse().ok()).unwrap_or_else(|| panic!("no address in: {notice}"))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is ours and not waited for yet");
    }

    /// Waits for its end at most so long.
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.child.wait_timeout(limit).expect("a child of ours can be waited for")
    }

    /// Kills it, unless it ended before. Says whether the kill came in time.
    pub(crate) fn kill(&mut self) -> bool {
        self.child.kill().expect("a child of ours can be killed");
        let status = self.child.wait().expect("a child of ours can be waited for");
        status.code().is_none()
    }

    /// Waits for its end; the status, the lines of standard output and of standard error not read before.
    #[track_caller]
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = self.wait(PATIENCE).expect("the process ends");
        let rest = |lines| std::iter::from_fn(|| next(lines)).collect();
        (status, rest(&self.out), rest(&self.err))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status and text that a page answers with.
pub(crate) fn ask(address: SocketAddr, method: &str, page: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "{method} {page} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// Asks again and again, a few milliseconds apart and as long as the process lives, until there is an answer.
#[track_caller]
pub(crate) fn poll<T>(live: &mut Live, what: &str, mut ask: impl FnMut(&mut Live) -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(answer) = ask(live) {
            return answer;
        }
        if let Some(status) = live.wait(Duration::from_millis(5)) {
            let errors: Vec<String> = std::iter::from_fn(|| next(&live.err)).collect();
            panic!("{what}: the runner ended first, {status}: {errors:?}");
        }
    }
    panic!("{what}: did not happen");
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    // Ends with the stream, or when nobody listens any more.
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
    });
    receive
}

#[track_caller]
fn next(lines: &Receiver<String>) -> Option<String> {
    match lines.recv_timeout(PATIENCE) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => panic!("the runner has said nothing for {PATIENCE:?}"),
    }
}

/// Waits until something is so, and hands back what was found.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let late = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < late, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
