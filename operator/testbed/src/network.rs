//! Where the cluster listens: a network namespace of its own, or else the machine's loopback with free ports.
//!
//! In its own namespace every cluster has the same addresses and ports, and nobody outside reaches them. Programs that
//! run outside, a test among them, come in through [`Network::reach`].
use crate::{
    error::{TestbedError, Tried},
    run::run,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{
    fs::File,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::fd::AsFd,
    path::PathBuf,
    process::Command,
    sync::Mutex,
    thread,
    time::Duration,
};
use tokio::{
    io::copy_bidirectional,
    net::TcpStream,
    runtime,
    sync::oneshot::{self, Receiver, Sender},
    time::timeout,
};

/// The first node's address in a namespace of its own, and the bridge that has it.
const NODE: Ipv4Addr = node(0);
const BRIDGE: &str = "node0";

/// How long it may take to reach something in a namespace of the same machine.
const PATIENCE: Duration = Duration::from_secs(2);

/// The place where the cluster listens.
pub(crate) struct Network {
    /// The namespace's name; `None` for the machine's own.
    name: Option<String>,
    address: Ipv4Addr,
    /// What leads to it from the first node's namespace: that one's name, and a device there.
    link: Option<(String, String)>,
    /// Each ends the thread that forwards one address, when dropped.
    doors: Mutex<Vec<(SocketAddr, SocketAddr, Sender<()>)>>,
}

impl Network {
    /// A namespace of this name where the machine allows one.
    pub(crate) fn make(name: &str) -> Self {
        let name = rustix::process::geteuid().is_root().then(|| name.to_owned());
        let name = name.filter(|name| make_namespace(name).is_ok());
        let address = name.as_ref().map_or(Ipv4Addr::LOCALHOST, |_| NODE);
        Self { name, address, link: None, doors: Mutex::default() }
    }

    /// The network of a node: this one for the first, for each other one of its own that is joined to this one's bridge.
    pub(crate) fn of_node(&self, number: u8) -> Result<Self, TestbedError> {
        let name = self.name.clone();
        let (Some(first), true) = (&name, number > 0) else {
            return Ok(Self { name, address: self.address, link: None, doors: Mutex::default() });
        };
        let (own, address, device) = (format!("{first}-node{number}"), node(number), format!("node{number}"));
        run(Command::new("ip").args(["netns", "add", &own]))?;
        configure(
            first,
            &[
                format!("link add {device} type veth peer name {device} netns {own}"),
                format!("link set {device} master {BRIDGE} up"),
                format!("route add {} via {address}", pods(number)),
            ],
        )?;
        configure(
            &own,
            &[
                "link set lo up".to_owned(),
                format!("address add {address}/24 dev {device}"),
                format!("link set {device} up"),
                // The first node knows the way to all pods.
                format!("route add default via {NODE}"),
            ],
        )?;
        let link = Some((first.clone(), device));
        Ok(Self { name: Some(own), address, link, doors: Mutex::default() })
    }

    /// Takes its link away, where it has one: nothing that is sent to it or from it arrives any more.
    pub(crate) fn cut(&self) -> Result<(), TestbedError> {
        let Some((first, device)) = &self.link else { return Ok(()) };
        configure(first, &[format!("link del {device}")])
    }

    /// The namespace's name, where it has one of its own.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address at which the cluster's parts find each other.
    pub(crate) fn address(&self) -> IpAddr {
        self.address.into()
    }

    /// Ports to listen at: the wanted ones in a namespace of its own, else free ones.
    pub(crate) fn ports<const N: usize>(&self, wanted: [u16; N]) -> Result<[u16; N], TestbedError> {
        if self.name.is_some() {
            return Ok(wanted);
        }
        let free =
            || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| Ok((listener.local_addr()?, listener)));
        // All are held until the last is found, or one would be found twice.
        let mut held = Vec::new();
        let mut ports = wanted;
        for port in &mut ports {
            let (address, listener) =
                free().map_err(|source| TestbedError::Io { what: "cannot find a free port".to_owned(), source })?;
            *port = address.port();
            held.push(listener);
        }
        Ok(ports)
    }

    /// A command that runs in this network.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        match &self.name {
            // Not `ip netns exec`: it mounts /sys anew and hides the cgroups.
            Some(name) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={}", file(name).display())).arg("--").arg(program);
                command
            }
            None => Command::new(program),
        }
    }

    /// An address outside that leads to `inside`, for as long as the network lives.
    pub(crate) fn reach(&self, inside: SocketAddr) -> Result<SocketAddr, TestbedError> {
        let Some(name) = &self.name else { return Ok(inside) };
        let mut doors = self.doors.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, outside, _)) = doors.iter().find(|(target, ..)| *target == inside) {
            return Ok(*outside);
        }
        let namespace = File::open(file(name)).tried("open", &file(name))?;
        let failed = |source| TestbedError::Io { what: format!("cannot forward a port to {inside}"), source };
        // The listener belongs to the namespace that it was made in, whoever accepts; so it is made out here.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let outside = listener.local_addr().map_err(failed)?;
        let (close, closed) = oneshot::channel();
        // The same address also leads there inside, so that one kubeconfig serves on both sides of the wall.
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (entered, answer) = std::sync::mpsc::channel();
        thread::Builder::new()
            .name("testbed door".to_owned())
            .spawn(move || {
                let indoors = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                    .map_err(io::Error::from)
                    .and_then(|()| TcpListener::bind(outside))
                    .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
                let (indoors, told) = match indoors {
                    Ok(indoors) => (Some(indoors), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                let _ = entered.send(told);
                if let Some(indoors) = indoors {
                    runtime.block_on(forward([listener, indoors], inside, closed));
                }
            })
            .map_err(failed)?;
        answer.recv().map_err(|_| failed(io::Error::other("its thread ended")))?.map_err(failed)?;
        doors.push((inside, outside, close));
        Ok(outside)
    }

    /// Closes all doors.
    pub(crate) fn close(&self) {
        self.doors.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
    }
}

async fn forward(listeners: [TcpListener; 2], inside: SocketAddr, mut closed: Receiver<()>) {
    let [Ok(outer), Ok(inner)] = listeners.map(tokio::net::TcpListener::from_std) else { return };
    loop {
        let connection = tokio::select! {
            _ = &mut closed => return,
            connection = outer.accept() => connection,
            connection = inner.accept() => connection,
        };
        let Ok((mut from, _)) = connection else { continue };
        tokio::spawn(async move {
            // A refused or broken connection is closed here as there; its ends say so themselves. To a pod that is gone none is
            // refused: nobody answers.
            if let Ok(Ok(mut to)) = timeout(PATIENCE, TcpStream::connect(inside)).await {
                let _ = (from.set_nodelay(true), to.set_nodelay(true));
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}

fn file(name: &str) -> PathBuf {
    PathBuf::from("/run/netns").join(name)
}

/// The address of the node of this number.
const fn node(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 200, 0, 1 + number)
}

/// The addresses of its pods.
pub(crate) fn pods(number: u8) -> String {
    format!("10.244.{number}.0/24")
}

fn make_namespace(name: &str) -> Result<(), TestbedError> {
    run(Command::new("ip").args(["netns", "add", name]))?;
    // Pods hang on the bridge's name space by veth pairs; the default route only has to exist, it leads nowhere.
    let made = configure(
        name,
        &[
            "link set lo up".to_owned(),
            format!("link add name {BRIDGE} type bridge"),
            format!("address add {NODE}/24 dev {BRIDGE}"),
            format!("link set {BRIDGE} up"),
            format!("route add default dev {BRIDGE}"),
        ],
    );
    if made.is_err() {
        let _ = run(Command::new("ip").args(["netns", "del", name]));
    }
    made
}

/// Has `ip` do this in a namespace.
fn configure(name: &str, lines: &[String]) -> Result<(), TestbedError> {
    lines.iter().try_for_each(|line| run(Command::new("ip").args(["-n", name]).args(line.split(' '))).map(drop))
}
