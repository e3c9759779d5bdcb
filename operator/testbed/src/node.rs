//! A node: containerd, kubelet and kube-proxy, in namespaces in which they and their pods live and die together.
use crate::{
    control_plane::ControlPlane,
    debian::Debian,
    devices::{self, Devices},
    error::{TestbedError, Tried},
    image::Image,
    network::{Network, pods},
    node_config as config,
    part::Part,
    run::run,
    store,
};
use serde_json::Value;
use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

/// Makes the node's namespaces. See the file for what they are good for.
const NODE: &str = include_str!("node.sh");
/// Where containerd listens inside of them.
const SOCKET: &str = "run/containerd/containerd.sock";

/// A running node. Dropping it ends its pods and all else of it.
pub(crate) struct Node {
    // In the order in which they end: with the namespace's first process all that is in it ends.
    holder: Part,
    _proxy: Part,
    _kubelet: Part,
    _containerd: Part,
    site: Site,
}

impl Node {
    /// Starts the node of this number with images on it and waits until it is ready. The first is where the control plane is.
    pub(crate) fn start(
        plane: &ControlPlane,
        debian: &Debian,
        archives: &[PathBuf],
        number: u8,
    ) -> Result<Self, TestbedError> {
        let site = Site::make(plane, debian, number)?;
        let mut holder = site.start_holder(plane)?;
        let inside = Inside { holder: holder.id(), site: &site };

        let socket = PathBuf::from(format!("/proc/{}/root/{SOCKET}", holder.id()));
        let containerd = || {
            let mut containerd = inside.start_containerd()?;
            containerd.wait_until(|| UnixStream::connect(&socket).is_ok())?;
            Ok::<_, TestbedError>(containerd)
        };
        let pause_program = plane.binaries().path("pause")?;
        let import_all = || {
            let _running = containerd()?;
            inside.load(&pause(&pause_program))?;
            archives.iter().try_for_each(|archive| inside.import(archive))
        };
        let tools = [debian.folder(""), pause_program.clone()];
        store::provide(&site.folder.join("containerd"), archives, &tools, import_all)?;
        let containerd = containerd()?;
        let mut kubelet = inside.start_kubelet(plane)?;
        let proxy = inside.start_proxy(plane)?;
        kubelet.wait_until(|| is_ready(plane, &site.name))?;
        holder.wait_until(|| true)?;
        Ok(Self { holder, _proxy: proxy, _kubelet: kubelet, _containerd: containerd, site })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.site.name
    }

    /// Puts an image on it.
    pub(crate) fn load(&self, image: &Image) -> Result<(), TestbedError> {
        self.inside().load(image)
    }

    /// Puts the image of an archive on it.
    pub(crate) fn import(&self, archive: &Path) -> Result<(), TestbedError> {
        self.inside().import(archive)
    }

    /// Gives it devices, and waits until its kubelet offers all of them.
    pub(crate) fn devices(&self, plane: &ControlPlane, resource: &str, ids: &[&str]) -> Result<Devices, TestbedError> {
        let program = devices::plugin()?;
        let mut devices = Devices::start(self.inside().beside(&program), &self.site.folder, resource, ids)?;
        let all = ids.len().to_string();
        devices.wait_until(|| look(plane, self.name())["status"]["allocatable"][resource] == all)?;
        Ok(devices)
    }

    /// Ends it as a machine that loses its power: nobody is told, and connections to it are not closed.
    pub(crate) fn kill(mut self) -> Result<(), TestbedError> {
        self.site.network.cut()?;
        self.holder.kill();
        Ok(())
    }

    fn inside(&self) -> Inside<'_> {
        Inside { holder: self.holder.id(), site: &self.site }
    }
}

/// Where a node is, and what it is made of.
struct Site {
    name: String,
    number: u8,
    folder: PathBuf,
    /// The parent of its pods' cgroups.
    cgroup: String,
    network: Network,
    debian: Debian,
}

impl Site {
    fn make(plane: &ControlPlane, debian: &Debian, number: u8) -> Result<Self, TestbedError> {
        let name = format!("node{number}");
        let folder = plane.folder().join(&name);
        fs::create_dir_all(&folder).tried("make", &folder)?;
        let cgroup = format!("{}-{name}", plane.place().name());
        let network = plane.place().network.of_node(number)?;
        Ok(Self { name, number, folder, cgroup, network, debian: debian.clone() })
    }

    fn start_holder(&self, plane: &ControlPlane) -> Result<Part, TestbedError> {
        let ready = self.folder.join("ready");
        let mut command = self.network.command("unshare");
        command
            .args(["--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
            .args(["sh", "-c", NODE, "node"])
            .arg(plane.binaries().path("pause")?)
            .arg(&self.cgroup)
            .arg(&ready);
        let mut holder = Part::start("node", &self.folder, &mut command)?.kill_at_once();
        holder.wait_until(|| ready.exists())?;
        Ok(holder)
    }
}

/// What it takes to run a program on the node.
struct Inside<'a> {
    holder: u32,
    site: &'a Site,
}

impl Inside<'_> {
    fn command(&self, program: &Path) -> Command {
        let processes = format!("--pid=/proc/{}/ns/pid_for_children", self.holder);
        self.enter(&[&processes], program)
    }

    /// A program that sees the node's files and is no process of it: a signal for what was started is one for the program,
    /// which nsenter otherwise keeps for itself.
    fn beside(&self, program: &Path) -> Command {
        self.enter(&[], program)
    }

    fn enter(&self, more: &[&str], program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        let namespaces = format!("/proc/{}/ns", self.holder);
        command
            .arg(format!("--mount={namespaces}/mnt"))
            .arg(format!("--net={namespaces}/net"))
            .args(more)
            // Entering a mount namespace leads to its root.
            .arg(format!("--wdns={}", self.site.folder.display()))
            .arg("--")
            .arg(program)
            .envs(self.site.debian.environment());
        command
    }

    fn start_containerd(&self) -> Result<Part, TestbedError> {
        let Site { number, folder, debian, .. } = self.site;
        let path = folder.join("containerd.toml");
        write(&folder.join("cni/pods.conflist"), &config::network(&pods(*number)))?;
        write(&path, &config::containerd(folder, debian)?)?;
        let mut command = self.command(&debian.program("containerd")?);
        Part::start("containerd", folder, command.arg("--config").arg(path))
    }

    fn start_kubelet(&self, plane: &ControlPlane) -> Result<Part, TestbedError> {
        let Site { name, folder, cgroup, network, .. } = self.site;
        let address = network.address();
        let own = format!("kubelet-{name}");
        let identity = plane.pki().client(&own, &format!("system:node:{name}"), Some("system:nodes"))?;
        let serving = plane.pki().server(&format!("{own}-server"), &[name], &[address])?;
        let kubeconfig = plane.part_kubeconfig(&own, &identity)?;
        let path = folder.join("kubelet.json");
        write(&path, &config::kubelet(folder, address, cgroup, &serving, &plane.pki().file("ca.crt")))?;
        let mut command = self.command(&plane.binaries().path("kubelet")?);
        command
            .arg(format!("--config={}", path.display()))
            .arg(format!("--kubeconfig={}", kubeconfig.display()))
            .arg(format!("--root-dir={}", folder.join("kubelet").display()))
            .arg(format!("--cert-dir={}", folder.join("kubelet-pki").display()))
            .arg(format!("--hostname-override={name}"))
            .arg(format!("--node-ip={address}"));
        Part::start("kubelet", folder, &mut command)
    }

    fn start_proxy(&self, plane: &ControlPlane) -> Result<Part, TestbedError> {
        let Site { name, folder, .. } = self.site;
        let own = format!("kube-proxy-{name}");
        let identity = plane.pki().client(&own, "system:kube-proxy", None)?;
        let kubeconfig = plane.part_kubeconfig(&own, &identity)?;
        let path = folder.join("kube-proxy.json");
        write(&path, &config::proxy(name, &kubeconfig))?;
        let mut command = self.command(&plane.binaries().path("kube-proxy")?);
        Part::start("kube-proxy", folder, command.arg(format!("--config={}", path.display())))
    }

    fn load(&self, image: &Image) -> Result<(), TestbedError> {
        let folder = &self.site.folder;
        let archive = tempfile::Builder::new().prefix("image-").suffix(".tar").tempfile_in(folder);
        let archive = archive.tried("make an archive in", folder)?;
        image.write(archive.path())?;
        self.import(archive.path())
    }

    fn import(&self, archive: &Path) -> Result<(), TestbedError> {
        let mut ctr = self.command(&self.site.debian.program("ctr")?);
        ctr.arg(format!("--address=/{SOCKET}")).args(["--namespace=k8s.io", "images", "import"]).arg(archive);
        run(&mut ctr).map(drop)
    }
}

fn pause(program: &Path) -> Image {
    Image {
        name: config::PAUSE.to_owned(),
        layers: vec![vec![("/pause".to_owned(), program.to_owned())]],
        entrypoint: vec!["/pause".to_owned()],
        user: "65535:65535".to_owned(),
        ..Image::default()
    }
}

/// The node as the API server knows it; nothing where it does not.
fn look(plane: &ControlPlane, name: &str) -> Value {
    let Ok((200, text)) = plane.ask().get(&format!("/api/v1/nodes/{name}")) else { return Value::Null };
    serde_json::from_str(&text).unwrap_or_default()
}

fn is_ready(plane: &ControlPlane, name: &str) -> bool {
    let node = look(plane, name);
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn write(path: &Path, text: &str) -> Result<(), TestbedError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).tried("make", parent)?;
    }
    fs::write(path, text).tried("write", path)
}
